import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpServer } from '../../../src/edges/http/server.ts';
import { EXTENSION, hashOfKey } from '../../../src/orgs/table.ts';
import { BARE_OID, OID, PAST_OID, READER_SECRET, set, UNKNOWN_OID } from '../../command/orgs.ts';
import { Memory, startApi, tokenOf } from '../support/memory.ts';

const USER = 'aaaaaaaa-bbbb-4ccc-8ddd-000000000001';
let memory: Memory;
let server: HttpServer;
let jwt: string;

beforeEach(async () => {
  memory = new Memory();
  for (const oid of [OID, BARE_OID, PAST_OID])
    set(memory.orgs, oid, 'API_KEY', 'me', { hash: hashOfKey(USER), uid: 'u-1', perms: ['ext.sub', 'sensor.list'] });
  server = await startApi(memory);
  jwt = await userToken({ oid: OID });
});
afterEach(() => server.close());

async function userToken(fields: object, on = server): Promise<string> {
  const payload = { secret: USER, uid: 'u-1', ...fields };
  return ((await on.inject({ method: 'POST', url: '/', payload })).json() as { jwt: string }).jwt;
}
type Method = 'GET' | 'POST' | 'DELETE' | 'PATCH';
const ask = async (method: Method, url: string, token = jwt, on = server) => {
  const answer = await on.inject({ method, url, headers: { authorization: `Bearer ${token}` } });
  return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
};

describe('who', () => {
  test('gives a key of one org a list of rights', async () => {
    const token = await tokenOf(server);
    expect((await ask('GET', '/v1/who', token)).body).toEqual({ orgs: [OID], perms: ['sensor.task', 'sensor.list'] });
  });

  test('gives a user the rights by org, or none at all', async () => {
    const perms = ['ext.sub', 'sensor.list'];
    const all = { [OID]: perms, [BARE_OID]: perms, [PAST_OID]: perms };
    const { body } = await ask('GET', '/v1/who', await userToken({}));
    expect(body).toEqual({ orgs: expect.arrayContaining(Object.keys(all)), user_perms: all });
    expect((await ask('GET', '/v1/who', await userToken({ oid: '-' }))).body).toEqual({ orgs: [], user_perms: {} });
  });

  test('needs a token', async () => {
    expect((await ask('GET', '/v1/who', 'x')).status).toBe(401);
  });
});

describe('the orgs of a user', () => {
  const orgs = async (query = '') =>
    (await ask('GET', `/v1/user/orgs${query}`, await userToken({ oid: '-' }))).body as {
      orgs: { oid: string; name: string }[];
      total: number;
    };

  beforeEach(() => {
    set(memory.orgs, OID, 'ORG', OID, { name: 'Beta' });
    set(memory.orgs, BARE_OID, 'ORG', BARE_OID, { name: 'alpha one' });
    set(memory.orgs, PAST_OID, 'ORG', PAST_OID, { name: 'alpha two' });
  });

  test('are all that the key opens, though the token names none', async () => {
    const { orgs: found, total } = await orgs();
    expect(found.map(({ name }) => name)).toEqual(['Beta', 'alpha one', 'alpha two']);
    expect(total).toBe(3);
  });

  test.each([
    ['?offset=1&limit=1', ['alpha one'], 3],
    ['?offset=3&limit=50', [], 3],
    ['?filter=ALPHA', ['alpha one', 'alpha two'], 2],
    [`?filter=${OID}`, ['Beta'], 1],
    ['?sort_by=name&sort_order=desc', ['alpha two', 'alpha one', 'Beta'], 3],
  ])('%s', async (query, names, count) => {
    const { orgs: found, total } = await orgs(query);
    expect([found.map(({ name }) => name), total]).toEqual([names, count]);
  });

  test.each(['?limit=0', '?limit=x', '?offset=-1', '?sort_by=size'])('%s is refused', async (query) => {
    expect((await ask('GET', `/v1/user/orgs${query}`)).status).toBe(400);
  });
});

describe('subscriptions', () => {
  const path = `/v1/orgs/${OID}/subscription/extension/${EXTENSION}`;
  const listed = async () => Object.keys((await ask('GET', `/v1/orgs/${OID}/subscriptions`)).body);

  test('are an object by the name of the extension', async () => {
    expect((await ask('GET', `/v1/orgs/${OID}/subscriptions`)).body).toEqual({
      [EXTENSION]: { name: EXTENSION, subscribed_at: 0 },
    });
  });

  test('end and begin again, keep their periods, and repeats change nothing', async () => {
    const before = memory.settingLog.entries.length;
    for (const method of ['DELETE', 'DELETE', 'POST', 'POST', 'PATCH'] as const) {
      memory.nowMs += 1_000;
      expect(await ask(method, path)).toMatchObject({ status: 200, body: {} });
      expect(await listed()).toEqual(method === 'DELETE' ? [] : [EXTENSION]);
    }
    expect(memory.settingLog.entries).toHaveLength(before + 2);
    const [first, second] = memory.orgs.periods(OID);
    expect(first).toMatchObject({ from: 0, to: memory.nowMs - 4_000 });
    // Two seconds ago, and two for clocks of brokers that are behind.
    expect(second).toEqual({ from: memory.nowMs - 4_000 });
    expect(memory.settings.get(OID, 'SUBSCRIPTION', EXTENSION)?.updatedBy).toBe('u-1');
  });

  test.each<[Method, string, number, string]>([
    ['POST', `/v1/orgs/${OID}/subscription/extension/ext-other`, 400, 'extension_unknown'],
    ['POST', `/v1/orgs/${BARE_OID}/subscription/extension/${EXTENSION}`, 403, 'forbidden'],
    ['POST', `/v1/orgs/${UNKNOWN_OID}/subscription/extension/${EXTENSION}`, 403, 'forbidden'],
    ['GET', `/v1/orgs/${UNKNOWN_OID}/subscriptions`, 403, 'forbidden'],
  ])('%s %s is refused', async (method, url, status, code) => {
    const answer = await ask(method, url);
    expect([answer.status, answer.body.error_code]).toEqual([status, code]);
  });

  test('an org that is not subscribed has no key to change', async () => {
    await ask('DELETE', path);
    expect((await ask('PATCH', path)).body.error_code).toBe('not_subscribed');
  });

  test('are changed by who has the right alone', async () => {
    const reader = await tokenOf(server, OID, READER_SECRET);
    expect((await ask('DELETE', path, reader)).body).toMatchObject({
      error_code: 'forbidden',
      data: { right: 'ext.sub' },
    });
    expect((await ask('GET', `/v1/orgs/${OID}/subscriptions`, reader)).status).toBe(200);
  });
});

describe('the limit of requests', () => {
  let limited: HttpServer;
  let second: HttpServer;
  beforeEach(async () => {
    limited = await startApi(memory, { RATE_LIMIT_PER_MINUTE: '2' });
    second = await startApi(memory, { RATE_LIMIT_PER_MINUTE: '2' });
  });
  afterEach(() => Promise.all([limited.close(), second.close()]));
  const who = (on: HttpServer, token = jwt) => ask('GET', '/v1/who', token, on);

  test('is one for all processes and tokens of a key, says how long to wait, and ends with its minute', async () => {
    const other = await userToken({});
    const taken = [await who(limited), await who(second, other)];
    expect(taken.map(({ status }) => status)).toEqual([200, 200]);
    for (const { headers } of taken)
      expect(Object.keys(headers).filter((name) => /ratelimit|retry/i.test(name))).toEqual([]);
    memory.nowMs += 20_000;
    const refused = await who(second);
    expect([refused.status, refused.body.error_code, refused.body.retriable]).toEqual([429, 'rate_limited', true]);
    expect(refused.headers).toMatchObject({
      'x-ratelimit-quota': '2',
      'x-ratelimit-period': '60',
      'retry-after': '40',
    });
    expect((await who(limited, await tokenOf(server))).status).toBe(200);
    memory.nowMs += 40_000;
    expect((await who(limited)).status).toBe(200);
  });

  test('refuses nobody while Redis is away, and asks nothing when there is none', async () => {
    memory.keyUseFault = new Error('away');
    for (let n = 0; n < 4; n += 1) expect((await who(limited)).status).toBe(200);
    memory.keyUseFault = null;
    for (let n = 0; n < 4; n += 1) expect((await who(server)).status).toBe(200);
    expect(memory.counts.size).toBe(0);
  });
});

test('the use of a key is noted once a minute, in the org that it was used for', async () => {
  for (let n = 0; n < 3; n += 1) await ask('GET', '/v1/who');
  const all = await userToken({});
  await ask('GET', `/v1/orgs/${BARE_OID}/subscriptions`, all);
  expect(memory.uses).toEqual([`${OID}/me`, `${BARE_OID}/me`]);
  memory.nowMs += 60_000;
  await ask('GET', '/v1/who');
  expect(memory.uses).toEqual([`${OID}/me`, `${BARE_OID}/me`, `${OID}/me`]);
});
