import { createLocalJWKSet, decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTokens } from '../../../src/api/auth/tokens.ts';
import { issuerKeys } from '../../../src/edges/http/jwks.ts';
import type { HttpServer } from '../../../src/edges/http/server.ts';
import { hashOfKey } from '../../../src/orgs/table.ts';
import { BARE_OID, OID, PAST_OID, SECRET, set, UNKNOWN_OID } from '../../command/orgs.ts';
import { Memory, startApi, tokenOf } from '../support/memory.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

let memory: Memory;
let server: HttpServer;

beforeEach(async () => {
  memory = new Memory();
  server = await startApi(memory);
});
afterEach(() => server.close());

const ask = (fields: Record<string, string>, url = '/') =>
  server.inject({ method: 'POST', url, headers: FORM, payload: new URLSearchParams(fields).toString() });
const list = (authorization?: string) =>
  server.inject({
    method: 'POST',
    url: '/v1/extension/request/ext-reliable-tasking',
    headers: authorization === undefined ? {} : { authorization },
    payload: { oid: OID, action: 'list' },
  });
const nowSeconds = () => Math.floor(memory.nowMs / 1000);

describe('getting a token', () => {
  test('names key, org and rights, and lives an hour', async () => {
    for (const url of ['/', '/jwt']) {
      const answer = await ask({ oid: OID, secret: SECRET }, url);
      expect(answer.statusCode).toBe(200);
      expect(decodeJwt((answer.json() as { jwt: string }).jwt)).toMatchObject({
        sub: 'all',
        oid: OID,
        perms: ['sensor.task', 'sensor.list'],
        iat: nowSeconds(),
        exp: nowSeconds() + 3600,
      });
    }
  });

  test.each<[string, number, number]>([
    ['as asked', 7_200, 7_200],
    ['no longer than a day', 864_000, 86_400],
  ])('an expiry is kept %s', async (_name, asked, lives) => {
    const answer = await ask({ oid: OID, secret: SECRET, expiry: String(nowSeconds() + asked) });
    expect(decodeJwt((answer.json() as { jwt: string }).jwt).exp).toBe(nowSeconds() + lives);
  });

  test.each(['1', 'soon', '1.5', '-1'])('the expiry %s is refused', async (expiry) => {
    const answer = await ask({ oid: OID, secret: SECRET, expiry });
    expect([answer.statusCode, answer.json().error_code]).toEqual([400, 'bad_request']);
  });

  test('a wrong key and an unknown org look the same', async () => {
    const answers = await Promise.all([ask({ oid: OID, secret: 'no' }), ask({ oid: UNKNOWN_OID, secret: SECRET })]);
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([401, 401]);
    expect(answers[0]?.json()).toEqual(answers[1]?.json());
    expect(answers[0]?.json().error_code).toBe('key_invalid');
  });

  test.each([{ oid: OID }, { secret: SECRET }, { uid: 'me' }, {}])('%o is not enough', async (fields) => {
    expect((await ask(fields as Record<string, string>)).statusCode).toBe(400);
  });

  test('no body at all is not enough', async () => {
    expect((await server.inject({ method: 'POST', url: '/' })).statusCode).toBe(400);
  });

  test.each(['/', '/jwt'])(
    'a key in the address is refused at %s, right or wrong, and whatever the body has',
    async (url) => {
      const query = new URLSearchParams({ oid: OID, secret: SECRET });
      for (const fields of [{}, { oid: OID, secret: SECRET }]) {
        const answer = await ask(fields as Record<string, string>, `${url}?${query}`);
        expect([answer.statusCode, answer.json().error_code]).toEqual([400, 'bad_request']);
        expect(answer.json().error).toMatch(/in the address.*in the body/);
      }
    },
  );

  test('the rest may stand in the address', async () => {
    expect((await ask({ secret: SECRET }, `/?oid=${OID}`)).statusCode).toBe(200);
  });

  test('a user id must be that of the key', async () => {
    expect((await ask({ oid: OID, secret: SECRET, uid: 'me' })).statusCode).toBe(401);
    set(memory.orgs, OID, 'API_KEY', 'all', { hash: hashOfKey(SECRET), perms: [], uid: 'me' });
    expect((await ask({ oid: OID, secret: SECRET, uid: 'me' })).statusCode).toBe(200);
  });

  test.each(['-', OID])('a user key without its user id is a wrong key, with the oid %s', async (oid) => {
    set(memory.orgs, OID, 'API_KEY', 'mine', { hash: hashOfKey('mine'), perms: [], uid: 'me' });
    const [without, wrong] = [await ask({ oid, secret: 'mine' }), await ask({ oid, secret: 'no' })];
    expect([without.statusCode, without.json()]).toEqual([401, wrong.json()]);
  });

  test('a key of an org needs no user id, with the oid - neither', async () => {
    expect(decodeJwt((await ask({ oid: '-', secret: SECRET })).json<{ jwt: string }>().jwt)).toMatchObject({
      oids: [],
    });
  });

  test('where a key of an org and a user key are the same secret, each opens its own', async () => {
    set(memory.orgs, BARE_OID, 'API_KEY', 'all', { hash: hashOfKey(SECRET), perms: ['sensor.list'], uid: 'me' });
    const orgsOf = async (fields: Record<string, string>) => {
      const { jwt } = (await ask({ oid: '-', secret: SECRET, ...fields })).json() as { jwt: string };
      const answer = await server.inject({ url: '/v1/user/orgs', headers: { authorization: `Bearer ${jwt}` } });
      return (answer.json() as { orgs: { oid: string }[] }).orgs.map(({ oid }) => oid);
    };
    expect([await orgsOf({}), await orgsOf({ uid: 'me' })]).toEqual([[OID, PAST_OID], [BARE_OID]]);
  });
});

describe('requests for a token that fail', () => {
  const QUOTA = 5;
  const HERE = '127.0.0.1';
  const restart = async (env: Record<string, string> = {}) => {
    await server.close();
    server = await startApi(memory, { TOKEN_FAILURES_PER_MINUTE: String(QUOTA), ...env });
  };
  beforeEach(() => restart());

  type From = { remoteAddress?: string; forwarded?: string; on?: HttpServer };
  const from = async (fields: Record<string, string>, { remoteAddress = HERE, forwarded, on = server }: From = {}) => {
    const headers = { ...FORM, ...(forwarded ? { 'x-forwarded-for': forwarded } : {}) };
    const payload = new URLSearchParams(fields).toString();
    return on.inject({ method: 'POST', url: '/', headers, payload, remoteAddress });
  };
  const RIGHT = { oid: OID, secret: SECRET };
  /** The statuses of so many guesses, one after another. */
  const guess = async (times: number, fields: Record<string, string> = {}, where: From = {}) => {
    const statuses: number[] = [];
    for (let n = 0; n < times; n += 1)
      statuses.push((await from({ oid: OID, secret: `no ${n}`, ...fields }, where)).statusCode);
    return statuses;
  };
  const statusOf = async (fields: Record<string, string>, where: From = {}) => (await from(fields, where)).statusCode;

  test('above the limit are refused until the minute is over, and so is the right key', async () => {
    expect(await guess(7)).toEqual([401, 401, 401, 401, 401, 429, 429]);
    const answer = await from(RIGHT);
    expect(answer.headers).toMatchObject({ 'retry-after': '60', 'x-ratelimit-quota': '5', 'x-ratelimit-period': '60' });
    expect(answer.json()).toMatchObject({ error_code: 'rate_limited', retriable: true });
    expect(await statusOf({ oid: BARE_OID, secret: SECRET })).toBe(429);
    memory.nowMs += 60_000;
    expect(await statusOf(RIGHT)).toBe(200);
    expect(await guess(1)).toEqual([401]);
  });

  test('above the limit reveal nothing about a secret: right and wrong get the same answer', async () => {
    await guess(QUOTA);
    const [right, wrong] = [await from(RIGHT), await from({ ...RIGHT, secret: 'no' })];
    expect(right.json()).toEqual(wrong.json());
  });

  test('do not include successful requests in between', async () => {
    for (let n = 0; n < 3 * QUOTA; n += 1) expect(await statusOf(RIGHT)).toBe(200);
    expect(await guess(QUOTA - 1)).not.toContain(429);
    expect(await statusOf(RIGHT)).toBe(200);
  });

  test('have the same limit for concurrent requests', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => from({ oid: OID, secret: `no ${n}` })));
    expect(answers.filter(({ statusCode }) => statusCode === 401)).toHaveLength(QUOTA);
  });

  test('for one name do not block the right key from another address', async () => {
    for (let n = 0; n < 40; n += 1) expect(await guess(1, {}, { remoteAddress: `192.0.2.${n}` })).toEqual([401]);
    expect(await statusOf(RIGHT)).toBe(200);
    expect(await statusOf(RIGHT, { remoteAddress: '198.51.100.1' })).toBe(200);
  });

  test('for one name, from many addresses, give each address one guess', async () => {
    for (let n = 0; n < QUOTA; n += 1) await guess(1, {}, { remoteAddress: `192.0.2.${n}` });
    expect(await guess(3, {}, { remoteAddress: '192.0.2.99' })).toEqual([401, 429, 429]);
    expect(await statusOf(RIGHT, { remoteAddress: '192.0.2.99' })).toBe(429);
    expect(await statusOf({ oid: BARE_OID, secret: SECRET }, { remoteAddress: '192.0.2.99' })).toBe(200);
    memory.nowMs += 60_000;
    expect(await statusOf(RIGHT, { remoteAddress: '192.0.2.99' })).toBe(200);
  });

  test('for a user are failures of that user, whichever org they name', async () => {
    const names = [{}, { oid: OID }, { oid: BARE_OID }, { oid: '-' }, { oid: PAST_OID }];
    for (const [n, fields] of names.entries())
      await guess(1, { uid: 'u-1', ...fields }, { remoteAddress: `192.0.2.${n}` });
    expect(await guess(2, { uid: 'u-1' }, { remoteAddress: '192.0.2.99' })).toEqual([401, 429]);
  });

  test.each([
    ['an IPv6 network', (n: number) => `2001:db8:1:2:${n}::${n}`, '2001:db8:1:3::1'],
    ['an IPv4 address written as IPv6', () => '::ffff:192.0.2.1', '192.0.2.2'],
  ])('count for %s', async (_what, address, other) => {
    const statuses = [];
    for (let n = 1; n <= QUOTA + 1; n += 1) statuses.push(...(await guess(1, {}, { remoteAddress: address(n) })));
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    expect(await statusOf(RIGHT, { remoteAddress: other })).toBe(200);
  });

  test('count for the address that a trusted proxy names, and for the socket without one', async () => {
    const remoteAddress = '10.1.2.3';
    await guess(QUOTA, {}, { remoteAddress, forwarded: '192.0.2.1' });
    expect(await statusOf(RIGHT, { remoteAddress, forwarded: '192.0.2.2' })).toBe(429);
    memory.counts.clear();
    await restart({ TRUSTED_PROXIES: '10.0.0.0/8' });
    expect(await guess(QUOTA + 1, {}, { remoteAddress, forwarded: '198.51.100.9, 192.0.2.1:40000' })).toContain(429);
    expect(await statusOf(RIGHT, { remoteAddress, forwarded: '198.51.100.9, 192.0.2.1:40001' })).toBe(429);
    expect(await statusOf(RIGHT, { remoteAddress, forwarded: '198.51.100.9, 192.0.2.2' })).toBe(200);
    expect(await statusOf(RIGHT, { remoteAddress: '203.0.113.1', forwarded: '192.0.2.1' })).toBe(200);
  });

  test('are counted for all processes together', async () => {
    const second = await startApi(memory, { TOKEN_FAILURES_PER_MINUTE: String(QUOTA) });
    await guess(QUOTA);
    // It hears of the failures with the first one that it sees itself.
    expect(await guess(3, {}, { on: second })).toEqual([401, 429, 429]);
    await second.close();
  });

  test('are counted by each process while Redis is away', async () => {
    memory.keyUseFault = new Error('away');
    expect(await guess(QUOTA + 1)).toEqual([401, 401, 401, 401, 401, 429]);
  });

  test('are unlimited with a limit of 0', async () => {
    await restart({ TOKEN_FAILURES_PER_MINUTE: '0' });
    expect(await guess(100)).not.toContain(429);
  });
});

describe('using a token', () => {
  test.each(['Bearer', 'bearer', 'BEARER'])('the scheme %s is understood', async (scheme) => {
    expect((await list(`${scheme} ${await tokenOf(server)}`)).statusCode).toBe(200);
  });

  test.each<[string | undefined, string]>([
    [undefined, 'token_missing'],
    ['', 'token_missing'],
    ['Basic abc', 'token_missing'],
    ['Bearer', 'token_missing'],
    ['Bearer abc', 'token_invalid'],
    ['Bearer a.b.c', 'token_invalid'],
  ])('%s gives 401 %s', async (authorization, code) => {
    const answer = await list(authorization);
    expect([answer.statusCode, answer.json().error_code]).toEqual([401, code]);
  });

  test('a token runs out', async () => {
    const jwt = await tokenOf(server);
    memory.nowMs += 3_601_000;
    expect((await list(`Bearer ${jwt}`)).json().error_code).toBe('token_invalid');
  });

  test('a token that somebody else signed, or nobody, is not ours', async () => {
    const claims = decodeJwt(await tokenOf(server));
    const foreign = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from('another secret'));
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${foreign.split('.')[1]}.`;
    for (const jwt of [foreign, none]) expect((await list(`Bearer ${jwt}`)).statusCode).toBe(401);
  });

  test('a token of another org does not open this one', async () => {
    const answer = await list(`Bearer ${await tokenOf(server, BARE_OID)}`);
    expect([answer.statusCode, answer.json().error_code]).toEqual([403, 'forbidden']);
  });

  test('a revoked key ends its tokens at once', async () => {
    const jwt = await tokenOf(server);
    set(memory.orgs, OID, 'API_KEY', 'all', null);
    expect((await list(`Bearer ${jwt}`)).statusCode).toBe(401);
  });

  test('a key that ran out, or was replaced by another of its name, ends its tokens', async () => {
    const jwt = await tokenOf(server);
    set(memory.orgs, OID, 'API_KEY', 'all', { hash: hashOfKey('another key'), perms: ['sensor.list'] });
    expect((await list(`Bearer ${jwt}`)).statusCode).toBe(401);
    set(memory.orgs, OID, 'API_KEY', 'all', { hash: hashOfKey(SECRET), perms: ['sensor.list'], expires_at: 1 });
    expect((await list(`Bearer ${jwt}`)).statusCode).toBe(401);
  });

  test('rights that a key has lost are lost to its tokens', async () => {
    const jwt = await tokenOf(server);
    set(memory.orgs, OID, 'API_KEY', 'all', { hash: hashOfKey(SECRET), perms: [] });
    expect((await list(`Bearer ${jwt}`)).statusCode).toBe(403);
  });
});

describe('a user key', () => {
  const USER = 'aaaaaaaa-bbbb-4ccc-8ddd-000000000001';
  const give = (oid: string, perms: string[], name = 'me') =>
    set(memory.orgs, oid, 'API_KEY', name, { hash: hashOfKey(USER), uid: 'u-1', perms });
  const tokenFor = async (fields: Record<string, string>) =>
    ((await ask({ uid: 'u-1', secret: USER, ...fields })).json() as { jwt: string }).jwt;
  const verified = (jwt: string) => createTokens(memory.ports()).verify(`Bearer ${jwt}`);

  beforeEach(() => {
    give(OID, ['sensor.list', 'ext.sub']);
    give(BARE_OID, ['sensor.task'], 'the same key by another name');
  });

  test('gives a token that names each of its orgs, with the rights of each', async () => {
    const jwt = await tokenFor({});
    expect(decodeJwt(jwt)).toMatchObject({ sub: 'u-1', oids: [OID, BARE_OID] });
    const { rights, keyName } = await verified(jwt);
    expect(keyName).toBe('u-1');
    expect(Object.fromEntries(rights)).toEqual({
      [OID]: new Set(['sensor.list', 'ext.sub']),
      [BARE_OID]: new Set(['sensor.task']),
    });
  });

  test('is narrowed to one org by oid, and by - to none', async () => {
    expect(decodeJwt(await tokenFor({ oid: BARE_OID }))).toMatchObject({ oid: BARE_OID, perms: ['sensor.task'] });
    const { oids, key } = await verified(await tokenFor({ oid: '-' }));
    expect([oids, key?.uid]).toEqual([[], 'u-1']);
  });

  test('loses the orgs where it is revoked, and with the last one its tokens', async () => {
    const [all, none] = [await tokenFor({}), await tokenFor({ oid: '-' })];
    set(memory.orgs, OID, 'API_KEY', 'me', null);
    expect((await verified(all)).oids).toEqual([BARE_OID]);
    expect((await verified(none)).oids).toEqual([]);
    set(memory.orgs, BARE_OID, 'ORG', BARE_OID, null);
    for (const jwt of [all, none]) await expect(verified(jwt)).rejects.toMatchObject({ code: 'token_invalid' });
  });

  test.each<[string, Record<string, string>]>([
    ['another user', { uid: 'u-2' }],
    ['another secret', { secret: SECRET }],
    ['an org where it is not', { oid: UNKNOWN_OID }],
  ])('is not taken with %s', async (_what, fields) => {
    const answer = await ask({ uid: 'u-1', secret: USER, ...fields });
    expect([answer.statusCode, answer.json().error_code]).toEqual([401, 'key_invalid']);
  });

  test('has access to more orgs than a token can name: it must request one of them', async () => {
    for (let n = 0; n < 200; n += 1) {
      const oid = `22222222-2222-4333-8444-${String(n).padStart(12, '0')}`;
      set(memory.orgs, oid, 'ORG', oid, {});
      give(oid, []);
    }
    expect((await ask({ uid: 'u-1', secret: USER })).json().error).toContain('has access to 202 orgs');
    expect((await ask({ uid: 'u-1', secret: USER, oid: OID })).statusCode).toBe(200);
  });

  test('a right of one org is none in another', async () => {
    const jwt = await tokenFor({});
    const answer = async (oid: string, action: string) =>
      (
        await server.inject({
          method: 'POST',
          url: '/v1/extension/request/ext-reliable-tasking',
          headers: { authorization: `Bearer ${jwt}` },
          payload: { oid, action, data: action === 'task' ? { task: 'os_version' } : {} },
        })
      ).statusCode;
    expect(await answer(OID, 'list')).toBe(200);
    expect(await answer(OID, 'task')).toBe(403);
  });
});

describe('tokens of an issuer', () => {
  const ISSUED = { oid: OID, perms: ['sensor.list'] };
  const ISSUER = 'https://login.example.com/';
  const TRUST = { JWKS_URL: 'https://login.example.com/keys', JWKS_ISSUER: ISSUER, JWKS_AUDIENCE: 'reliable-tasking' };
  let sign: (claims: object) => Promise<string>;

  beforeEach(async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS256');
    memory.issuer = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1' }] });
    sign = (claims) => {
      const times = { iat: nowSeconds(), exp: nowSeconds() + 60 };
      const usual = { iss: ISSUER, aud: 'reliable-tasking', sub: 'alice@example.com', ...times };
      return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: 'RS256', kid: 'k1' }).sign(privateKey);
    };
    await server.close();
    server = await startApi(memory, TRUST);
  });

  const statusOf = async (claims: object) => (await list(`Bearer ${await sign({ ...ISSUED, ...claims })}`)).statusCode;

  test.each<[string, (now: number) => object, number]>([
    ['another issuer', () => ({ iss: 'https://login.example.com/other' }), 401],
    ['no issuer', () => ({ iss: undefined }), 401],
    ['another audience', () => ({ aud: 'another service' }), 401],
    ['no audience', () => ({ aud: undefined }), 401],
    ['several audiences', () => ({ aud: ['another service', 'reliable-tasking'] }), 200],
    ['an end that is over', (now) => ({ iat: now - 60, exp: now }), 401],
    ['no end', () => ({ exp: undefined }), 401],
    ['a time to come before which it does not count', (now) => ({ nbf: now + 5 }), 401],
    ['a time before which it does not count, and that is over', (now) => ({ nbf: now }), 200],
    ['no time of issue', () => ({ iat: undefined }), 401],
    ['a life of a day', (now) => ({ iat: now - 60, exp: now + 86_340 }), 200],
    ['a life of more than a day', (now) => ({ iat: now - 60, exp: now + 86_341 }), 401],
    ['a time of issue that is to come', (now) => ({ iat: now + 61, exp: now + 120 }), 401],
    ['a time of issue by a clock that is ahead', (now) => ({ iat: now + 59, exp: now + 120 }), 200],
    ['no user', () => ({ sub: undefined }), 401],
    ['a user that no record can name', () => ({ sub: 'a'.repeat(1_024) }), 401],
    ['a user with a character that no record can have', () => ({ sub: 'a\0' }), 401],
  ])('with %s', async (_what, claims, status) => {
    expect(await statusOf(claims(nowSeconds()))).toBe(status);
  });

  test('live no longer than JWKS_MAX_SECONDS', async () => {
    await server.close();
    server = await startApi(memory, { ...TRUST, JWKS_MAX_SECONDS: '60' });
    expect([await statusOf({}), await statusOf({ exp: nowSeconds() + 61 })]).toEqual([200, 401]);
  });

  test('name their user by issuer and sub in what they do, and count requests by both', async () => {
    const { keyName, credential } = await createTokens(memory.ports(TRUST)).verify(`Bearer ${await sign(ISSUED)}`);
    expect(keyName).toBe(`${ISSUER}|alice@example.com`);
    const other = { ...TRUST, JWKS_ISSUER: 'https://other.example.com/' };
    const foreign = await sign({ ...ISSUED, iss: other.JWKS_ISSUER });
    expect((await createTokens(memory.ports(other)).verify(`Bearer ${foreign}`)).credential).not.toBe(credential);
    const answer = await server.inject({
      method: 'POST',
      url: '/v1/extension/request/ext-reliable-tasking',
      headers: { authorization: `Bearer ${await sign({ oid: OID, perms: ['sensor.task'] })}` },
      payload: { oid: OID, action: 'task', data: { task: 'os_version' } },
    });
    expect([answer.statusCode, memory.appended[0]?.issued_by]).toEqual([200, `${ISSUER}|alice@example.com`]);
  });

  test('count beside ours, with their rights, until they run out', async () => {
    const jwt = await sign(ISSUED);
    expect((await list(`Bearer ${jwt}`)).statusCode).toBe(200);
    expect((await list(`Bearer ${await tokenOf(server)}`)).statusCode).toBe(200);
    expect((await list(`Bearer ${await sign({ ...ISSUED, perms: [] })}`)).statusCode).toBe(403);
    expect((await list(`Bearer ${await sign({ oids: [OID], perms: { [OID]: ['sensor.task'] } })}`)).statusCode).toBe(
      200,
    );
    memory.nowMs += 61_000;
    expect((await list(`Bearer ${jwt}`)).statusCode).toBe(401);
  });

  test('name no org that does not exist', async () => {
    const { oids } = await createTokens(memory.ports(TRUST)).verify(
      `Bearer ${await sign({ oids: [OID, UNKNOWN_OID], perms: [] })}`,
    );
    expect(oids).toEqual([OID]);
  });

  test.each(['constructor', '__proto__', 'toString'])('name no org %s', async (oid) => {
    const jwt = await sign({ oids: [oid, OID], perms: { [OID]: ['sensor.task'] } });
    expect((await list(`Bearer ${jwt}`)).statusCode).toBe(200);
    set(memory.orgs, oid, 'ORG', oid, { name: '' });
    expect((await list(`Bearer ${jwt}`)).statusCode).toBe(200);
    expect((await list(`Bearer ${await sign({ oids: [oid], perms: {} })}`)).statusCode).toBe(403);
    const own = `{"oids":["${OID}"],"perms":{"__proto__":["sensor.task"],"${OID}":[]}}`;
    expect((await list(`Bearer ${await sign(JSON.parse(own))}`)).statusCode).toBe(403);
  });

  test.each([{}, { oid: OID }, { oid: 7, perms: [] }, { oids: [7], perms: [] }, { oid: OID, perms: 'all' }])(
    'that say %o are refused',
    async (claims) => {
      expect((await list(`Bearer ${await sign(claims)}`)).statusCode).toBe(401);
    },
  );

  test('an issuer that is away gives 503, and no verdict on the token', async () => {
    const jwt = await sign(ISSUED);
    memory.issuer = issuerKeys('http://127.0.0.1:1/keys');
    await server.close();
    server = await startApi(memory, TRUST);
    expect((await list(`Bearer ${jwt}`)).statusCode).toBe(503);
  });

  test('without JWT_SECRET are the only ones, and none are given here', async () => {
    const ours = await tokenOf(server);
    await server.close();
    server = await startApi(memory, { ...TRUST, JWT_SECRET: '' });
    expect((await ask({ oid: OID, secret: SECRET })).statusCode).toBe(404);
    expect((await list(`Bearer ${ours}`)).statusCode).toBe(401);
    expect((await list(`Bearer ${await sign(ISSUED)}`)).statusCode).toBe(200);
  });
});
