import { decodeJwt, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpServer } from '../../src/edges/http/server.ts';
import { hashOfKey } from '../../src/orgs/table.ts';
import { BARE_OID, OID, SECRET, set, UNKNOWN_OID } from '../command/orgs.ts';
import { Memory, startApi, tokenOf } from './memory.ts';

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

  test.each([{ oid: OID }, { secret: SECRET }, {}])('%o is not enough', async (fields) => {
    expect((await ask(fields as Record<string, string>)).statusCode).toBe(400);
  });

  test('a user id must be that of the key', async () => {
    expect((await ask({ oid: OID, secret: SECRET, uid: 'me' })).statusCode).toBe(401);
    set(memory.orgs, OID, 'API_KEY', 'all', { hash: hashOfKey(SECRET), perms: [], uid: 'me' });
    expect((await ask({ oid: OID, secret: SECRET, uid: 'me' })).statusCode).toBe(200);
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
    memory.otherSecrets.set('all', 'another key');
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
