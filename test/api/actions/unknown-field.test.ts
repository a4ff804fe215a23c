/** A misspelt field must not change what a request reaches: it is refused, by every call that takes the data of an action. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ACTIONS } from '../../../src/api/actions/table.ts';
import { RULE_REQUESTS } from '../../../src/command/schemas.ts';
import { unknownField } from '../../../src/command/unknown-field.ts';
import type { HttpServer } from '../../../src/edges/http/server.ts';
import { OID } from '../../command/orgs.ts';
import { act, Memory, startApi, tokenOf } from '../support/memory.ts';

let memory: Memory;
let server: HttpServer;
let jwt: string;

beforeEach(async () => {
  memory = new Memory();
  server = await startApi(memory);
  jwt = await tokenOf(server);
});
afterEach(() => server.close());

const ask = (action: string, data: unknown) => act(server, jwt, action, data);

async function askService(data: object) {
  const answer = await server.inject({
    method: 'POST',
    url: `/v1/service/${OID}/reliable-tasking`,
    headers: { authorization: `bearer ${jwt}` },
    payload: { request_data: Buffer.from(JSON.stringify(data)).toString('base64') },
  });
  return { status: answer.statusCode, body: answer.json() };
}

describe('a field that an action does not have', () => {
  test.each<[string, object, string, string | null]>([
    ['task', { task: 'x', tags: 'canary' }, 'tags', 'tag'],
    ['task', { task: 'x', Selector: 'plat == linux' }, 'Selector', 'selector'],
    ['task', { task: 'x', selectr: 'plat == linux' }, 'selectr', 'selector'],
    ['task', { task: 'x', SID: 's-1' }, 'SID', 'sid'],
    ['task', { task: 'x', ttl_seconds: 60 }, 'ttl_seconds', 'ttl'],
    ['task', { task: 'x', inv_id: 'audit' }, 'inv_id', 'context'],
    ['task', { command: 'x' }, 'command', 'task'],
    ['task', { task: 'x', colour: 'red' }, 'colour', null],
    ['untask', { task_id: 't', tags: 'canary' }, 'tags', 'tag'],
    ['untask', { task_id: 't', plat: 'linux' }, 'plat', null],
    ['list', { stat: 'ended' }, 'stat', 'state'],
    ['preview', { Tag: 'canary' }, 'Tag', 'tag'],
    ['signal_received', { sid: 's-1', investigation_id: 't' }, 'investigation_id', 'inv_id'],
  ])('%s %j is refused, with the nearest field that it has', async (action, data, field, nearest) => {
    const { status, body } = await ask(action, data);
    expect([status, body.error_code, body.data]).toEqual([400, 'field_unknown', { field, nearest }]);
    expect(body.error).toContain(`"${field}"`);
    if (nearest !== null) expect(body.error).toContain(`"${nearest}"`);
    expect(memory.appended).toEqual([]);
  });

  test.each([...ACTIONS.keys()])('is refused by %s before anything else of the data, null or not', async (action) => {
    for (const value of [1, null]) {
      const { status, body } = await ask(action, { sid: 'no sid', task_id: 'no id', __extra: value });
      expect([status, body.error_code]).toEqual([400, 'field_unknown']);
    }
  });

  test('is refused by the call of older clients too, with the field name as it was sent', async () => {
    for (const [data, field, nearest] of [
      [{ action: 'task', task: 'x', tags: 'canary' }, 'tags', 'tag'],
      [{ action: 'untask', task_id: 'no id', Sid: 's-1' }, 'Sid', 'sid'],
      [{ action: 'list', inv_id: 'audit' }, 'inv_id', null],
    ] as const)
      expect(await askService(data)).toMatchObject({
        status: 400,
        body: { error_code: 'field_unknown', data: { field, nearest } },
      });
    expect(memory.appended).toEqual([]);
  });

  test('is shown in part where its name is long', async () => {
    const { body } = await ask('task', { task: 'x', ['y'.repeat(100_000)]: 1 });
    expect(body.error.length).toBeLessThan(400);
    expect(String(body.data.field).length).toBeLessThanOrEqual(100);
  });
});

describe('what the public clients send', () => {
  test.each<[string, object]>([
    ['every field of task', { task: 'x', sid: 'a', context: 'c', ttl: '60', idempotency_key: 'k' }],
    ['the platform of the earliest clients', { task: 'x', plat: 'linux' }],
    ['fields that are null', { task: 'x', sid: null, tag: null, selector: null, plat: null, context: null, ttl: null }],
  ])('is taken by the extension: %s', async (_name, data) => {
    expect((await ask('task', data)).status).toBe(200);
  });

  test.each<object>([
    { action: 'task', task: 'os_version', sid: 'a', inv_id: 'inv', ttl: 60 },
    { action: 'task', task: 'os_version', sid: '*', tag: null },
    { action: 'task', task: 'os_version', tag: 'x', ttl: 60 },
    { action: 'list', sid: 'a' },
    { action: 'untask', sid: 'a', task_id: 't' },
  ])('is taken by the older service: %j', async (data) => {
    expect((await askService(data)).status).toBe(200);
  });
});

test('what no object is has no unknown field, and the parts of every object are none', () => {
  for (const data of [null, [], 'text', 5, undefined]) expect(unknownField(['sid'], data)).toBeNull();
  expect(unknownField(['sid'], { sid: null })).toBeNull();
  expect(unknownField(['sid'], { constructor: 1 })).toEqual({ field: 'constructor', nearest: null });
});

test('rules ask for actions of the extension, with all of their fields', () => {
  for (const [name, fields] of RULE_REQUESTS)
    expect(fields.toSorted()).toEqual(Object.keys(ACTIONS.get(name)?.schema.properties ?? {}).toSorted());
});

describe('a field of the action beside the data', () => {
  const url = '/v1/extension/request/ext-reliable-tasking';
  const data = JSON.stringify({ task: 'x' });
  test.each<[string, { payload?: object; query?: Record<string, string> }]>([
    ['in the body', { payload: { oid: OID, action: 'task', data, tag: 'canary' } }],
    ['in the query', { payload: { oid: OID, action: 'task', data }, query: { tag: 'canary' } }],
  ])('%s is refused: it would be ignored', async (_, given) => {
    const answer = await server.inject({ method: 'POST', url, headers: { authorization: `bearer ${jwt}` }, ...given });
    expect([answer.statusCode, answer.json().error_code]).toEqual([400, 'field_unknown']);
    expect(answer.json().data).toEqual({ field: 'tag', nearest: 'data.tag' });
    expect(memory.appended).toEqual([]);
  });

  test('that the public clients send is accepted', async () => {
    const payload = { oid: OID, action: 'list', data: '{}', impersonator_jwt: 'x', version: 1 };
    const answer = await server.inject({ method: 'POST', url, headers: { authorization: `bearer ${jwt}` }, payload });
    expect(answer.statusCode).toBe(200);
  });
});

test('the older service call refuses the sid * beside a selector', async () => {
  const { status, body } = await askService({ action: 'task', task: 'x', sid: '*', selector: 'plat == linux' });
  expect([status, body.error_code]).toEqual([400, 'target_ambiguous']);
  expect(memory.appended).toEqual([]);
  expect((await askService({ action: 'task', task: 'x', sid: '*', selector: null })).status).toBe(200);
});
