/** The hive calls of the public client, over settings in memory. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpServer } from '../../../src/edges/http/server.ts';
import { hashOfKey } from '../../../src/orgs/table.ts';
import { OID, READER_SECRET, set, UNKNOWN_OID } from '../../command/orgs.ts';
import { Memory, startApi, tokenOf } from '../support/memory.ts';

const RULES = 'aaaaaaaa-bbbb-4ccc-8ddd-000000000001';
const GENERAL = 'aaaaaaaa-bbbb-4ccc-8ddd-000000000002';
const rule = { detect: { op: 'is windows', event: 'X' }, respond: [{ action: 'report', name: 'r' }] };

const request = (fields: object) => ({
  action: 'extension request',
  'extension name': 'ext-reliable-tasking',
  'extension action': 'list',
  'extension request': fields,
});

let memory: Memory;
let server: HttpServer;
let jwt: string;

beforeEach(async () => {
  memory = new Memory();
  const general = ['dr.list', 'dr.set', 'dr.del'];
  set(memory.orgs, OID, 'API_KEY', 'rules', {
    hash: hashOfKey(RULES),
    perms: [...general, ...general.map((right) => `${right}.managed`)],
  });
  set(memory.orgs, OID, 'API_KEY', 'general', { hash: hashOfKey(GENERAL), perms: general });
  server = await startApi(memory);
  jwt = await tokenOf(server, OID, RULES);
});
afterEach(() => server.close());

async function call(method: 'GET' | 'POST' | 'DELETE', path: string, form: Record<string, string> = {}, token = jwt) {
  const answer = await server.inject({
    method,
    url: `/v1/hive/${path.replace('{oid}', OID)}`,
    payload: new URLSearchParams(form).toString(),
    headers: { authorization: `bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' },
  });
  return { status: answer.statusCode, body: answer.json() };
}

const store = (name: string, form: Record<string, string> = {}, data: unknown = rule) =>
  call('POST', `dr-general/{oid}/${encodeURIComponent(name)}/data`, { data: JSON.stringify(data), ...form });
const read = async (name: string) => (await call('GET', `dr-general/{oid}/${encodeURIComponent(name)}/data`)).body;

describe('a record', () => {
  test('that no record of Kafka could hold is refused before anything is written', async () => {
    const written = memory.settingLog.entries.length;
    const keys = (bytes: number) => ({ data: JSON.stringify({ lookup_data: { key: 'ü'.repeat(bytes / 2) } }) });
    expect(await call('POST', 'lookup/{oid}/large/data', keys(900_000))).toMatchObject({
      status: 413,
      body: { error_code: 'SETTING_TOO_LARGE', error: expect.stringContaining('900000 are allowed') },
    });
    expect(memory.settingLog.entries.length).toBe(written);
    expect((await call('POST', 'lookup/{oid}/large/data', keys(899_000))).status).toBe(200);
  });

  test('comes back as it was stored; without metadata it is new and disabled', async () => {
    expect(await store('a/b ä%41')).toMatchObject({
      status: 200,
      body: { name: 'a/b ä%41', hive: { name: 'dr-general', partition: OID }, guid: expect.any(String) },
    });
    const record = await read('a/b ä%41');
    expect(record.data).toEqual(rule);
    expect(record.usr_mtd).toEqual({ enabled: false, expiry: 0, tags: [], comment: '' });
    expect(record.sys_mtd).toMatchObject({
      created_by: 'rules',
      last_author: 'rules',
      last_error: '',
      last_error_ts: 0,
    });
    expect((await call('GET', `dr-general/{oid}/${encodeURIComponent('a/b ä%41')}/mtd`)).body.data).toEqual({});
  });

  test('keeps its metadata when none are sent, and loses all that a new usr_mtd does not have', async () => {
    await store('r', { usr_mtd: '{"enabled":true,"tags":["t"],"comment":"c"}' });
    await store('r');
    expect((await read('r')).usr_mtd).toEqual({ enabled: true, expiry: 0, tags: ['t'], comment: 'c' });
    await call('POST', 'dr-general/{oid}/r/mtd', { usr_mtd: '{"tags":["u"]}', data: 'null' });
    expect(await read('r')).toMatchObject({ data: rule, usr_mtd: { enabled: false, tags: ['u'], comment: '' } });
  });

  test('that is missing is 400 RECORD_NOT_FOUND, whatever is asked of it', async () => {
    const missing = {
      status: 400,
      body: { error: expect.stringMatching(/^lc_error_code:RECORD_NOT_FOUND - /), error_code: 'RECORD_NOT_FOUND' },
    };
    expect(await call('GET', 'dr-general/{oid}/no/data')).toMatchObject(missing);
    expect(await call('GET', 'dr-general/{oid}/no/mtd')).toMatchObject(missing);
    expect(await call('POST', 'dr-general/{oid}/no/mtd', { usr_mtd: '{}' })).toMatchObject(missing);
    expect(await call('POST', 'dr-general/{oid}/no/rename?new_name=x')).toMatchObject(missing);
    expect(await call('DELETE', 'dr-general/{oid}/no')).toMatchObject(missing);
  });

  test('with another etag is not overwritten', async () => {
    await store('r');
    const { etag } = (await read('r')).sys_mtd;
    expect((await store('r', { etag })).status).toBe(200);
    expect((await read('r')).sys_mtd.etag).not.toBe(etag);
    for (const answer of [
      await store('r', { etag }),
      await call('DELETE', 'dr-general/{oid}/r', { etag }),
      await call('POST', 'dr-general/{oid}/r/rename?new_name=x', { etag }),
    ])
      expect(answer).toMatchObject({
        status: 409,
        body: { error: expect.stringContaining('ETAG_MISMATCH'), error_code: 'ETAG_MISMATCH' },
      });
  });

  test('is renamed, also by a name that was encoded twice, but not over another', async () => {
    await store('r', { usr_mtd: '{"enabled":true}' });
    await store('taken');
    const { guid } = (await read('r')).sys_mtd;
    expect(await call('POST', 'dr-general/{oid}/r/rename?new_name=taken')).toMatchObject({
      status: 400,
      body: { error_code: 'RECORD_EXISTS' },
    });
    expect(
      await call('POST', `dr-general/{oid}/r/rename?new_name=${encodeURIComponent(encodeURIComponent('new name'))}`),
    ).toMatchObject({ status: 200, body: { name: 'new name' } });
    expect(await read('new name')).toMatchObject({ data: rule, usr_mtd: { enabled: true }, sys_mtd: { guid } });
    expect((await read('r')).error_code).toBe('RECORD_NOT_FOUND');
  });

  test('is gone when it is deleted', async () => {
    await store('r');
    expect(await call('DELETE', 'dr-general/{oid}/r')).toEqual({ status: 200, body: {} });
    expect((await call('GET', 'dr-general/{oid}')).body).toEqual({});
  });
});

test('the hives of an org are bounded together, and can always be made smaller', async () => {
  const value = JSON.stringify({ data: { lookup_data: { k: 'x'.repeat(850_000) } } });
  const setting = { oid: OID, kind: 'HIVE' as const, etag: 'e', value, updated_at: 1, updated_by: 't' };
  for (let n = 0; n < 79; n += 1)
    memory.settings.table.apply(`${OID}/HIVE/lookup/l${n}`, { ...setting, name: `lookup/l${n}` });
  const large = { lookup_data: { k: 'y'.repeat(500_000) } };
  const form = { data: JSON.stringify(large) };
  expect(await call('POST', 'lookup/{oid}/new/data', form)).toMatchObject({
    status: 400,
    body: { error_code: 'HIVE_FULL' },
  });
  expect((await call('POST', 'lookup/{oid}/l1/data', form)).status).toBe(200);
});

test.each([
  ['nested deep', `{"lookup_data":{"k":${'['.repeat(20_000)}${']'.repeat(20_000)}}}`],
  ['with NUL', '{"lookup_data":{"k":"\\u0000"}}'],
  ['with __proto__', '{"lookup_data":{"__proto__":1}}'],
])('data %s are refused, whatever hive they are for', async (_name, data) => {
  for (const [path, given] of [
    ['lookup/{oid}/l/data', data],
    ['dr-general/{oid}/r/validate', data.replace('lookup_data', 'detect')],
  ] as const)
    expect(await call('POST', path, { data: given })).toMatchObject({
      status: 400,
      body: { error_code: 'DATA_INVALID' },
    });
});

describe('rules', () => {
  test('a detect part that cannot run is refused with the path to the fault, and nothing is stored', async () => {
    const bad = { ...rule, detect: { op: 'and', rules: [{ op: 'is windows' }, { op: 'was' }] } };
    for (const path of ['data', 'validate'])
      expect(await call('POST', `dr-general/{oid}/r/${path}`, { data: JSON.stringify(bad) })).toMatchObject({
        status: 400,
        body: {
          error: expect.stringContaining('detect/rules/1/op'),
          error_code: 'RULE_INVALID',
          data: { path: 'detect/rules/1/op' },
        },
      });
    expect((await read('r')).error_code).toBe('RECORD_NOT_FOUND');
  });

  test.each<[string, object, string, object]>([
    ['without respond', { detect: rule.detect }, 'RULE_INVALID', { path: 'respond' }],
    [
      'with an unknown action',
      { ...rule, respond: [{ action: 'reprot' }] },
      'RULE_INVALID',
      { path: 'respond/0/action' },
    ],
    [
      'with a literal without quotes in a request',
      { ...rule, respond: [request({ tag: 'canary' })] },
      'RULE_INVALID',
      { path: 'respond/0/extension request/tag' },
    ],
    [
      'with a field in a request that its action does not have',
      { ...rule, respond: [request({ tags: '{{ "canary" }}' })] },
      'FIELD_UNKNOWN',
      { path: 'respond/0/extension request/tags', field: 'tags', nearest: 'tag' },
    ],
  ])('one %s is refused where it is stored or checked, with the path to the fault', async (_name, bad, code, data) => {
    for (const path of ['dr-general/{oid}/r/data', 'dr-managed/{oid}/r/data', 'dr-general/{oid}/r/validate'])
      expect(await call('POST', path, { data: JSON.stringify(bad) })).toMatchObject({
        status: 400,
        body: { error_code: code, data },
      });
    expect(memory.settings.list(OID, 'HIVE')).toEqual([]);
  });

  test.each([
    [
      'a legacy request',
      [{ action: 'service request', name: 'reliable-tasking', request: {} }],
      /respond\/0\/action: .*convert_rules/,
    ],
    ['an action that is not run', [{ action: 'seal' }], /respond\/0\/action/],
    ['a template that does not parse', [{ action: 'report', name: '{{routing.sid}}' }], /respond\/0\/name/],
    ['an empty respond', [], /respond/],
  ])('%s is stored and shown as last_error', async (_name, respond, error) => {
    expect((await store('r', {}, { ...rule, respond })).status).toBe(200);
    expect((await read('r')).sys_mtd).toMatchObject({
      last_error: expect.stringMatching(error),
      last_error_ts: expect.any(Number),
    });
    await store('r');
    expect((await read('r')).sys_mtd.last_error).toBe('');
  });

  test('a fault of the last run is shown until the rule is stored anew', async () => {
    await store('r');
    const { last_mod } = (await read('r')).sys_mtd;
    memory.ruleFaults.set('dr-general/r', { sentence: 'It failed.', atMs: last_mod + 1 });
    expect((await read('r')).sys_mtd).toMatchObject({ last_error: 'It failed.', last_error_ts: last_mod + 1 });
    expect((await call('GET', 'dr-general/{oid}')).body.r.sys_mtd.last_error).toBe('It failed.');
    memory.ruleFaults.set('dr-general/r', { sentence: 'It failed.', atMs: last_mod - 1 });
    expect((await read('r')).sys_mtd.last_error).toBe('');
  });

  test('validate stores nothing; data that is no object is refused', async () => {
    expect(await call('POST', 'dr-general/{oid}/r/validate', { data: JSON.stringify(rule) })).toEqual({
      status: 200,
      body: {},
    });
    expect((await call('GET', 'dr-general/{oid}')).body).toEqual({});
    for (const data of ['', 'null', '[]', '5', '{'])
      expect(await call('POST', 'dr-general/{oid}/r/data', { data })).toMatchObject({
        status: 400,
        body: { error_code: 'DATA_INVALID' },
      });
    expect((await store('r', { usr_mtd: '{"enabled":1}' })).body.error_code).toBe('DATA_INVALID');
  });

  test('a lookup has its keys', async () => {
    const data = { lookup_data: { 'evil.example': { source: 'feed' } } };
    expect((await call('POST', 'lookup/{oid}/l/data', { data: JSON.stringify(data) })).status).toBe(200);
    expect((await call('GET', 'lookup/{oid}/l/data')).body.data).toEqual(data);
    expect((await call('POST', 'lookup/{oid}/l/data', { data: '{}' })).body.error_code).toBe('DATA_INVALID');
  });
});

describe('a listing', () => {
  beforeEach(async () => {
    for (const name of ['c', 'a', 'b']) await store(name, { usr_mtd: JSON.stringify({ tags: [`t-${name}`] }) });
  });

  test('has every record by name, without data when asked, of a tag when asked', async () => {
    const { body } = await call('GET', 'dr-general/{oid}?mtd_only=true');
    expect(Object.keys(body)).toEqual(['a', 'b', 'c']);
    expect(body.a).toMatchObject({ data: {}, usr_mtd: { tags: ['t-a'] } });
    expect(Object.keys((await call('GET', 'dr-general/{oid}?tag_prefix=t-b')).body)).toEqual(['b']);
    expect((await call('GET', 'dr-managed/{oid}')).body).toEqual({});
  });

  test('comes in pages, whose cursor leads to every record once', async () => {
    const names: string[] = [];
    let cursor = '';
    for (let page = 0; page < 3; page += 1) {
      const { body } = await call('GET', `dr-general/{oid}?limit=1&cursor=${cursor}`);
      names.push(...Object.keys(body.records));
      cursor = body.next_cursor;
    }
    expect([names, cursor]).toEqual([['a', 'b', 'c'], '']);
    expect(await call('GET', 'dr-general/{oid}?limit=1&cursor=nonsense')).toMatchObject({
      status: 400,
      body: { error_code: 'INVALID_CURSOR', error: expect.stringContaining('INVALID_CURSOR') },
    });
  });

  test('that is too large is 413, and pages get through', async () => {
    expect(await call('GET', 'dr-general/{oid}?max_bytes=600')).toMatchObject({
      status: 413,
      body: { error: expect.stringContaining('HIVE_LISTING_TOO_LARGE'), error_code: 'HIVE_LISTING_TOO_LARGE' },
    });
    const { body } = await call('GET', 'dr-general/{oid}?max_bytes=600&limit=500');
    expect(Object.keys(body.records)).toEqual(['a']);
    expect(body.next_cursor).not.toBe('');
  });
});

describe('who may', () => {
  test('each hive has its rights', async () => {
    const general = await tokenOf(server, OID, GENERAL);
    expect((await call('GET', 'dr-general/{oid}', {}, general)).status).toBe(200);
    expect(await call('GET', 'dr-managed/{oid}', {}, general)).toMatchObject({
      status: 403,
      body: { error_code: 'FORBIDDEN', data: { right: 'dr.list.managed' } },
    });
    const reader = await tokenOf(server, OID, READER_SECRET);
    expect((await call('GET', 'dr-general/{oid}', {}, reader)).status).toBe(403);
    expect((await call('GET', `dr-general/${UNKNOWN_OID}`)).status).toBe(403);
  });

  test('a hive that there is not, and the schema of one that there is', async () => {
    expect(await call('GET', 'secrets/{oid}')).toMatchObject({ status: 400, body: { error_code: 'HIVE_UNKNOWN' } });
    expect((await call('GET', 'dr-general/schema')).body.schema).toMatchObject({ required: ['detect', 'respond'] });
  });
});
