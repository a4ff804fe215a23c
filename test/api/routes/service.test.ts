/** The calls of older clients, and the definition and schema of the extension. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readServiceRequest } from '../../../src/api/actions/service-request.ts';
import { ACTIONS } from '../../../src/api/actions/table.ts';
import type { HttpServer } from '../../../src/edges/http/server.ts';
import { OID, READER_SECRET, UNKNOWN_OID } from '../../command/orgs.ts';
import { Memory, startApi, tokenOf } from '../support/memory.ts';

let memory: Memory;
let server: HttpServer;
let jwt: string;

beforeEach(async () => {
  memory = new Memory();
  server = await startApi(memory);
  jwt = await tokenOf(server);
});
afterEach(() => server.close());

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');

async function call(data: unknown, options: { oid?: string; name?: string; token?: string; form?: object } = {}) {
  const { oid = OID, name = 'reliable-tasking', token = jwt, form = {} } = options;
  const answer = await server.inject({
    method: 'POST',
    url: `/v1/service/${oid}/${name}`,
    headers: { authorization: `bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({ request_data: encoded(data), is_async: 'True', ...form }).toString(),
  });
  return { status: answer.statusCode, body: answer.json() };
}

const get = async (url: string) => {
  const answer = await server.inject({ url, headers: { authorization: `Bearer ${jwt}` } });
  return { status: answer.statusCode, body: answer.json() };
};

describe('the request', () => {
  test.each<[string, object, object]>([
    [
      'v5 reliable-send',
      { action: 'task', task: 'os_version', sid: 's-1', inv_id: 'inv', ttl: 60 },
      { task: 'os_version', sid: 's-1', context: 'inv', ttl: 60 },
    ],
    ['v5 reliable-list', { action: 'list', sid: 's-1' }, { sid: 's-1' }],
    ['v5 reliable-delete', { action: 'untask', sid: 's-1', task_id: 't' }, { sid: 's-1', task_id: 't' }],
    ['an empty sid, which `task` refuses', { action: 'task', task: 'x', sid: '' }, { task: 'x', sid: '' }],
    ['v4 for all sensors', { action: 'task', task: 'os_version', sid: '*' }, { task: 'os_version', selector: '*' }],
    ['v4 by tag', { action: 'task', task: 'os_version', tag: 'x' }, { task: 'os_version', tag: 'x' }],
    ['v4 without a target', { action: 'list' }, {}],
    ['a receipt', { action: 'signal_received', sid: 's-1', inv_id: 'i/t' }, { sid: 's-1', inv_id: 'i/t' }],
  ])('%s', (_name, sent, data) => {
    expect(readServiceRequest(encoded(sent))).toEqual({ action: (sent as { action: string }).action, data });
  });

  test.each(['', '%%%', 'aGVsbG8=', encoded([]), encoded(7), encoded({ task: 'x' }), encoded({ action: 1 }), '//79'])(
    'is refused: %s',
    (text) => {
      expect(() => readServiceRequest(text)).toThrow(expect.objectContaining({ code: 'data_invalid' }));
    },
  );
});

describe('the service', () => {
  test('queues, lists and removes the tasks that the extension knows, without an envelope', async () => {
    memory.addSensor('s-1');
    const sent = await call({ action: 'task', task: 'os_version', sid: 's-1', inv_id: 'inv', ttl: 60 });
    expect(sent).toMatchObject({ status: 200, body: { total_sensors: 1, tasked_sensors: 1, queued_sensors: 0 } });
    const { task_id } = sent.body;
    expect(memory.appended).toMatchObject([{ task_id, context: 'inv', selector: 'sid == "s-1"', ttl: 60 }]);
    const listed = await call({ action: 'list', sid: 's-1' }, { form: { is_async: 'False' } });
    expect(listed).toMatchObject({ status: 200, body: { tasks: [{ task_id, task: 'os_version' }] } });
    const removed = await call({ action: 'untask', sid: 's-1', task_id });
    expect(removed).toEqual({ status: 200, body: { deleted: 1, tasks: 0 } });
  });

  test('is the one that the org has', async () => {
    expect(await get(`/v1/service/${OID}`)).toEqual({ status: 200, body: { replicants: ['reliable-tasking'] } });
    expect((await get(`/v1/service/${UNKNOWN_OID}`)).status).toBe(403);
  });

  test.each<[string, object, Parameters<typeof call>[1], number, string]>([
    ['an unknown action', { action: 'nope' }, {}, 400, 'action_unknown'],
    ['another service', { action: 'list' }, { name: 'other' }, 400, 'extension_unknown'],
    ['another org', { action: 'list' }, { oid: UNKNOWN_OID }, 403, 'forbidden'],
    ['no command', { action: 'task' }, {}, 400, 'task_missing'],
    ['data twice', { action: 'list' }, { form: { is_async: 'maybe' } }, 400, 'bad_request'],
  ])('refuses %s', async (_name, data, options, status, code) => {
    const answer = await call(data, options);
    expect([answer.status, answer.body.error_code]).toEqual([status, code]);
    expect(memory.appended).toEqual([]);
  });

  test('asks for the right of the action', async () => {
    const token = await tokenOf(server, OID, READER_SECRET);
    expect((await call({ action: 'list' }, { token })).status).toBe(200);
    expect(await call({ action: 'task', task: 'x' }, { token })).toMatchObject({
      status: 403,
      body: { error_code: 'forbidden', data: { right: 'sensor.task' } },
    });
  });
});

describe('the extension', () => {
  test('has the actions with their fields, and which of them are required', async () => {
    const { status, body } = await get(`/v1/extension/schema/ext-reliable-tasking?oid=${OID}`);
    expect(status).toBe(200);
    expect(Object.keys(body.request_schema)).toEqual([...ACTIONS.keys()]);
    const { task, untask } = body.request_schema;
    expect(task.parameters.requirements).toEqual([['task']]);
    expect(task.parameters.fields).toMatchObject({
      task: { data_type: 'string' },
      selector: { data_type: 'sensor_selector' },
      ttl: { data_type: 'integer' },
    });
    expect(untask.parameters.requirements).toEqual([['task_id', 'sid', 'tag', 'selector']]);
    expect(body).toMatchObject({ config_schema: {}, required_events: expect.any(Array) });
    for (const { parameters, short_description } of Object.values<typeof task>(body.request_schema)) {
      expect(short_description).not.toBe('');
      for (const field of Object.values(parameters.fields))
        expect(field).toMatchObject({ description: expect.stringMatching(/\.$/) });
    }
  });

  test('is the one that is defined', async () => {
    expect((await get('/v1/extension/definition')).body).toHaveProperty('ext-reliable-tasking');
    const one = await get('/v1/extension/definition/ext-reliable-tasking');
    expect(one.body).toMatchObject({ name: 'ext-reliable-tasking' });
    for (const url of ['/v1/extension/definition/ext-other', '/v1/extension/schema/ext-other'])
      expect(await get(url)).toMatchObject({ status: 400, body: { error_code: 'extension_unknown' } });
    expect((await get(`/v1/extension/schema/ext-reliable-tasking?oid=${UNKNOWN_OID}`)).status).toBe(403);
  });
});
