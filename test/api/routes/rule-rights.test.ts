/** A rule is a command: who stores it, renames it or lets it run needs the rights of its actions, and is its author. */
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpServer } from '../../../src/edges/http/server.ts';
import { hashOfKey } from '../../../src/orgs/table.ts';
import { keptOf } from '../../../src/responder/hives/record.ts';
import { OID, PAST_OID, set } from '../../command/orgs.ts';
import { Memory, startApi, tokenOf } from '../support/memory.ts';

const DR = ['dr.list', 'dr.set', 'dr.del', 'dr.list.managed', 'dr.set.managed', 'dr.del.managed'];
const KEYS = {
  rules: DR,
  tagger: [...DR, 'sensor.tag'],
  tasker: [...DR, 'sensor.task'],
  all: [...DR, 'sensor.task', 'sensor.tag'],
} as const;
type Key = keyof typeof KEYS;
const secretOf = (key: string) => `aaaaaaaa-bbbb-4ccc-8ddd-${Buffer.from(key.padEnd(6, '0')).toString('hex')}`;

const detect = { op: 'is windows', event: 'CONNECTED' };
const ruleOf = (...actions: object[]) => ({ detect, respond: [{ action: 'report', name: 'r' }, ...actions] });
const REQUEST = {
  action: 'extension request',
  'extension name': 'ext-reliable-tasking',
  'extension action': 'list',
  'extension request': {},
};
const TASKS = ruleOf({ action: 'task', command: 'os_version' });
const TAGS = ruleOf({ action: 'add tag', tag: 'x' });
const ON = '{"enabled":true}';
const OFF = '{"enabled":false}';

let memory: Memory;
let server: HttpServer;
let jwts: Record<Key, string>;

beforeEach(async () => {
  memory = new Memory();
  for (const [name, perms] of Object.entries(KEYS))
    set(memory.orgs, OID, 'API_KEY', name, { hash: hashOfKey(secretOf(name)), perms });
  server = await startApi(memory);
  const names = Object.keys(KEYS) as Key[];
  const tokens = await Promise.all(names.map((name) => tokenOf(server, OID, secretOf(name))));
  jwts = Object.fromEntries(names.map((name, i) => [name, tokens[i]])) as typeof jwts;
});
afterEach(() => server.close());

async function call(token: string, method: 'GET' | 'POST', path: string, form: Record<string, string> = {}) {
  const answer = await server.inject({
    method,
    url: `/v1/hive/${path}`,
    payload: new URLSearchParams(form).toString(),
    headers: { authorization: `bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' },
  });
  return { status: answer.statusCode, body: answer.json() };
}
const store = (key: Key, rule: object, usr_mtd?: string, hive = 'dr-general') =>
  call(jwts[key], 'POST', `${hive}/${OID}/r/data`, {
    data: JSON.stringify(rule),
    ...(usr_mtd === undefined ? {} : { usr_mtd }),
  });
const label = (key: Key, usr_mtd: string) => call(jwts[key], 'POST', `dr-general/${OID}/r/mtd`, { usr_mtd });
const read = async (name = 'r') => (await call(jwts.rules, 'GET', `dr-general/${OID}/${name}/data`)).body;
/** What the responder makes of the record, by a fold of the log of its own. */
const kept = (name = 'r') => {
  const setting = memory.settingLog.process('responder').get(OID, 'HIVE', `dr-general/${name}`);
  return setting === undefined ? null : keptOf(setting.value);
};
const lacks = (right: string) => ({
  status: 403,
  body: { error_code: 'FORBIDDEN', data: { right }, error: expect.stringContaining(right) },
});
/** As a version wrote it that did not ask for the rights of a rule. */
const storeOld = (rule: object, usr_mtd: object) =>
  memory.settings.write({
    oid: OID,
    kind: 'HIVE',
    name: 'dr-general/r',
    by: 'rules',
    value: { data: rule, usr_mtd: { expiry: 0, tags: [], comment: '', ...usr_mtd }, guid: 'g', created_by: 'rules' },
  });

describe('storing a rule', () => {
  test.each<[string, object, string, Key, Key]>([
    ['task', { action: 'task', command: 'x' }, 'sensor.task', 'tagger', 'tasker'],
    ['extension request', REQUEST, 'sensor.task', 'tagger', 'tasker'],
    ['isolate network', { action: 'isolate network' }, 'sensor.task', 'tagger', 'tasker'],
    ['rejoin network', { action: 'rejoin network' }, 'sensor.task', 'tagger', 'tasker'],
    ['add tag', { action: 'add tag', tag: 'x' }, 'sensor.tag', 'tasker', 'tagger'],
    ['remove tag', { action: 'remove tag', tag: 'x' }, 'sensor.tag', 'tasker', 'tagger'],
    ['a task whose template does not parse', { action: 'task', command: '{{x' }, 'sensor.task', 'tagger', 'tasker'],
  ])('with %s needs its right, enabled or not, in both hives', async (_name, action, right, without, with_) => {
    for (const hive of ['dr-general', 'dr-managed'])
      for (const metadata of [ON, OFF, undefined]) {
        expect(await store('rules', ruleOf(action), metadata, hive)).toMatchObject(lacks(right));
        expect(await store(without, ruleOf(action), metadata, hive)).toMatchObject(lacks(right));
      }
    expect(memory.settings.list(OID, 'HIVE')).toEqual([]);
    expect((await store(with_, ruleOf(action), ON)).status).toBe(200);
    expect(kept()?.author).toEqual({ name: with_, rights: [right] });
    expect((await read()).sys_mtd.author).toBe(with_);
  });

  test('with several actions needs the rights of all, and a rule that only reports needs none', async () => {
    const both = ruleOf({ action: 'task', command: 'x' }, { action: 'add tag', tag: 'x' });
    expect(await store('tasker', both)).toMatchObject({ ...lacks('sensor.tag') });
    expect((await store('tasker', both)).body.data).toEqual({ right: 'sensor.tag', path: 'respond/2' });
    expect((await store('all', both)).status).toBe(200);
    expect(kept()?.author).toEqual({ name: 'all', rights: ['sensor.task', 'sensor.tag'] });
    expect((await store('rules', ruleOf(), ON)).status).toBe(200);
    expect(kept()).toMatchObject({ author: { name: 'rules', rights: [] }, usr_mtd: { enabled: true } });
  });

  test('over an existing one needs the rights of the new one, whatever the old one had', async () => {
    await store('tagger', TAGS, ON);
    expect(await store('tagger', TASKS)).toMatchObject(lacks('sensor.task'));
    expect(kept()).toMatchObject({ data: TAGS, author: { name: 'tagger', rights: ['sensor.tag'] } });
  });

  test('is checked the same way without storing it', async () => {
    const check = (key: Key) =>
      call(jwts[key], 'POST', `dr-general/${OID}/r/validate`, { data: JSON.stringify(TASKS) });
    expect(await check('rules')).toMatchObject(lacks('sensor.task'));
    expect(await check('tasker')).toEqual({ status: 200, body: {} });
    expect(kept()).toBeNull();
  });
});

describe('letting a rule run', () => {
  test('needs the rights of its actions, and sets the caller as its author', async () => {
    await store('tasker', TASKS);
    expect(await label('rules', ON)).toMatchObject(lacks('sensor.task'));
    expect(kept()).toMatchObject({ usr_mtd: { enabled: false }, author: { name: 'tasker' } });
    expect((await label('all', ON)).status).toBe(200);
    expect(kept()).toMatchObject({
      usr_mtd: { enabled: true },
      author: { name: 'all', rights: ['sensor.task'] },
    });
  });

  test('for longer needs them too; stopping it or changing its comment does not, and keeps the author', async () => {
    const until = (expiry: number) => JSON.stringify({ enabled: true, expiry });
    await store('tasker', TASKS, until(2_000));
    for (const metadata of [until(3_000), until(0)])
      expect(await label('rules', metadata)).toMatchObject(lacks('sensor.task'));
    for (const metadata of [until(1_000), JSON.stringify({ enabled: true, expiry: 1_000, comment: 'c' }), OFF]) {
      expect((await label('rules', metadata)).status).toBe(200);
      expect(kept()?.author).toEqual({ name: 'tasker', rights: ['sensor.task'] });
    }
    expect((await read()).sys_mtd).toMatchObject({ author: 'tasker', last_author: 'rules' });
  });

  test('under another name needs them too', async () => {
    await store('tasker', TASKS, ON);
    const rename = (key: Key) => call(jwts[key], 'POST', `dr-general/${OID}/r/rename?new_name=s`);
    expect(await rename('rules')).toMatchObject(lacks('sensor.task'));
    expect([kept('r')?.author?.name, kept('s')]).toEqual(['tasker', null]);
    expect((await rename('all')).status).toBe(200);
    expect([kept('r'), kept('s')?.author]).toEqual([null, { name: 'all', rights: ['sensor.task'] }]);
  });
});

describe('a rule from before', () => {
  test('has no author, keeps none through a comment, and gets one when it is stored or enabled again', async () => {
    await storeOld(TASKS, { enabled: true });
    expect((await read()).sys_mtd).toMatchObject({ author: '', last_author: 'rules' });
    expect((await label('all', '{"enabled":true,"comment":"c"}')).status).toBe(200);
    expect(kept()?.author).toBeNull();
    await label('rules', OFF);
    expect(await label('rules', ON)).toMatchObject(lacks('sensor.task'));
    expect((await label('tasker', ON)).status).toBe(200);
    expect(kept()?.author).toEqual({ name: 'tasker', rights: ['sensor.task'] });
    await storeOld(TASKS, { enabled: true });
    expect((await store('tasker', TASKS)).status).toBe(200);
    expect(kept()).toMatchObject({ author: { name: 'tasker' }, usr_mtd: { enabled: true } });
  });

  test.each([{ name: 'x' }, { rights: ['sensor.task'] }, 'tasker', ['sensor.task'], { name: 1, rights: [] }, null])(
    'whose author is %j has none',
    async (author) => {
      expect(keptOf({ data: TASKS, author }).author).toBeNull();
    },
  );
});

describe('who is asked', () => {
  test('a user key counts with the rights that it has in this org', async () => {
    const hash = hashOfKey(secretOf('user'));
    set(memory.orgs, OID, 'API_KEY', 'u', { hash, uid: 'u-1', perms: DR });
    set(memory.orgs, PAST_OID, 'API_KEY', 'u', { hash, uid: 'u-1', perms: [...DR, 'sensor.task'] });
    const answer = await server.inject({ method: 'POST', url: '/', payload: { uid: 'u-1', secret: secretOf('user') } });
    const { jwt } = answer.json() as { jwt: string };
    const form = { data: JSON.stringify(TASKS) };
    expect(await call(jwt, 'POST', `dr-general/${OID}/r/data`, form)).toMatchObject(lacks('sensor.task'));
    expect((await call(jwt, 'POST', `dr-general/${PAST_OID}/r/data`, form)).status).toBe(200);
    const setting = memory.settings.get(PAST_OID, 'HIVE', 'dr-general/r');
    expect(keptOf(setting?.value ?? {}).author).toEqual({ name: 'u-1', rights: ['sensor.task'] });
  });

  test('a token of an issuer counts with the rights that it names', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    memory.issuer = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1' }] });
    const issuer = 'https://login.example.test/';
    const other = await startApi(memory, {
      JWKS_URL: `${issuer}keys`,
      JWKS_ISSUER: issuer,
      JWKS_AUDIENCE: 'reliable-tasking',
    });
    const now = Math.floor(memory.nowMs / 1000);
    const tokenWith = (perms: string[]) =>
      new SignJWT({ oid: OID, perms })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .setIssuer(issuer)
        .setAudience('reliable-tasking')
        .setSubject('ada@example.test')
        .setIssuedAt(now)
        .setExpirationTime(now + 600)
        .sign(privateKey);
    const put = async (perms: string[]) => {
      const answer = await other.inject({
        method: 'POST',
        url: `/v1/hive/dr-general/${OID}/r/data`,
        payload: { data: TASKS },
        headers: { authorization: `bearer ${await tokenWith(perms)}` },
      });
      return { status: answer.statusCode, body: answer.json() };
    };
    expect(await put(DR)).toMatchObject(lacks('sensor.task'));
    expect((await put([...DR, 'sensor.task'])).status).toBe(200);
    expect(kept()?.author).toEqual({ name: `${issuer}|ada@example.test`, rights: ['sensor.task'] });
    await other.close();
  });
});

test('a lookup takes no rights of actions', async () => {
  const form = { data: JSON.stringify({ lookup_data: { a: {} }, respond: TASKS.respond }) };
  expect((await call(jwts.rules, 'POST', `lookup/${OID}/l/data`, form)).status).toBe(200);
});
