import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cursorOf } from '../../../src/api/http/cursor.ts';
import type { HttpServer } from '../../../src/edges/http/server.ts';
import { unavailable } from '../../../src/errors.ts';
import { taskIdForKey } from '../../../src/model/ids.ts';
import { OID } from '../../command/orgs.ts';
import { act, Memory, startApi, tokenOf } from '../support/memory.ts';

const LINUX = 0x20000000;

let memory: Memory;
let server: HttpServer;
let jwt: string;

beforeEach(async () => {
  memory = new Memory();
  server = await startApi(memory);
  jwt = await tokenOf(server);
});
afterEach(() => server.close());

const ask = (action: string, data: unknown, headers = {}) => act(server, jwt, action, data, headers);
const queue = async (data: object): Promise<string> =>
  (await ask('task', { task: 'os_version', ...data })).body.data.task_id as string;

describe('task', () => {
  test('answers how many sensors match, online and not', async () => {
    memory.addSensor('a');
    memory.addSensor('b', {}, false);
    memory.addSensor('c', {}, false);
    const { status, body } = await ask('task', { task: 'os_version' });
    expect(status).toBe(200);
    expect(body).toEqual({
      error: '',
      version: 1,
      data: { task_id: expect.any(String), total_sensors: 3, tasked_sensors: 1, queued_sensors: 2 },
    });
  });

  test('the record says who asked, when, and what', async () => {
    await ask('task', { task: ' run  x ', tag: 'a "b"', context: 'c', ttl: '60' });
    expect(memory.appended).toEqual([
      {
        action: 'TASK',
        oid: OID,
        task_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        task: ' run  x ',
        selector: expect.stringContaining(' in tags'),
        context: 'c',
        ttl: 60,
        issued_at: memory.nowMs,
        issued_by: 'all',
        untask_selector: null,
        options: null,
      },
    ]);
  });

  test.each<[string, object, string]>([
    ['no command line', { task: undefined }, 'task_missing'],
    ['an empty command line', { task: '' }, 'task_missing'],
    ['a blank command line', { task: '  ' }, 'task_missing'],
    ['a command line that is no text', { task: 5 }, 'data_invalid'],
    ['a NUL', { task: 'a\0b' }, 'data_invalid'],
    ['half a character', { task: '\ud800' }, 'data_invalid'],
    ['a ttl below zero', { ttl: -1 }, 'ttl_invalid'],
    ['a ttl with a fraction', { ttl: 1.5 }, 'ttl_invalid'],
    ['a ttl that is a word', { ttl: 'soon' }, 'ttl_invalid'],
    ['a ttl beyond the maximum', { ttl: 7_776_001 }, 'ttl_invalid'],
    ['a ttl of the wrong type', { ttl: true }, 'ttl_invalid'],
    ['two targets', { sid: 'a', tag: 'b' }, 'target_ambiguous'],
    ['a target and all', { sid: 'a', selector: '*' }, 'target_ambiguous'],
    ['a platform and a tag', { plat: 'linux', tag: 'a' }, 'target_ambiguous'],
    ['a platform that is none', { plat: 'beos' }, 'data_invalid'],
    ['a sid that is none', { sid: 'a b' }, 'sid_invalid'],
    ['a sid of the wrong type', { sid: 7 }, 'sid_invalid'],
    ['a sid that is empty: a variable that is not set', { sid: '' }, 'sid_invalid'],
    ['a tag that is empty', { tag: '' }, 'data_invalid'],
    ['a platform that is empty', { plat: '' }, 'data_invalid'],
    ['a tag of the wrong type', { tag: ['x'] }, 'data_invalid'],
    ['a selector that does not parse', { selector: 'plat ==' }, 'selector_syntax'],
    ['a selector of no field', { selector: 'colour == red' }, 'selector_unknown_field'],
    ['a context of the wrong type', { context: {} }, 'data_invalid'],
    ['a context that is too long', { context: 'x'.repeat(4097) }, 'data_invalid'],
    ['an idempotency key that is too long', { idempotency_key: 'x'.repeat(257) }, 'data_invalid'],
  ])('refuses %s, and writes nothing', async (_name, fields, code) => {
    const { status, body } = await ask('task', { task: 'os_version', ...fields });
    expect([status, body.error_code]).toEqual([400, code]);
    expect(body.error).toMatch(/\.$|expected|must/);
    expect(memory.appended).toEqual([]);
  });

  test('a selector error says where', async () => {
    const { body } = await ask('task', { task: 'x', selector: 'plat == linux and colour == red' });
    expect(body.data).toEqual({ column: 19 });
  });

  test('null fields are fields that are left out', async () => {
    const data = { task: 'x', sid: null, tag: null, selector: null, context: null, ttl: null, idempotency_key: null };
    expect((await ask('task', data)).status).toBe(200);
    expect(memory.appended[0]).toMatchObject({ selector: '*', ttl: 604_800, context: null });
  });

  test('empty fields beside a target say nothing', async () => {
    expect((await ask('task', { task: 'x', sid: '', tag: 'a', plat: '', selector: '' })).status).toBe(200);
    expect(memory.appended[0]?.selector).toBe('"a" in tags');
  });

  test('a platform by its name is a target too, as the earliest clients gave it', async () => {
    await ask('task', { task: 'x', plat: 'linux' });
    expect(memory.appended[0]?.selector).toBe('plat == "linux"');
    const refused = async (data: object) => (await ask('task', { task: 'x', ...data })).body.error_code;
    expect(await refused({ plat: 'linux', sid: 'a' })).toBe('target_ambiguous');
    expect(await refused({ plat: 'lunix' })).toBe('data_invalid');
    expect(await refused({ plat: 'linux" or hostname != "' })).toBe('data_invalid');
    expect(memory.appended).toHaveLength(1);
  });

  test('ttl 0 is accepted, and sent to nobody', async () => {
    memory.addSensor('a');
    const { status, body } = await ask('task', { task: 'x', ttl: 0 });
    expect(status).toBe(200);
    expect(body.data).toMatchObject({ total_sensors: 0, tasked_sensors: 0, queued_sensors: 0 });
  });

  test('what is not applied in time is answered 202 with the id, and stays accepted', async () => {
    memory.behind = true;
    const { status, body } = await ask('task', { task: 'x' });
    expect(status).toBe(202);
    expect(body.data).toEqual({ task_id: memory.appended[0]?.task_id });
  });

  test('Redis lost after the append: 202, since the command is on the log', async () => {
    memory.afterAppend = () => {
      memory.fault = new Error('gone');
    };
    const { status, body } = await ask('task', { task: 'x' });
    expect([status, body.data]).toEqual([202, { task_id: memory.appended[0]?.task_id }]);
  });

  test('when joiners do not count, the sensors are counted here', async () => {
    memory.counting = false;
    memory.addSensor('a', { plat: LINUX });
    memory.addSensor('b', { plat: LINUX }, false);
    memory.addSensor('c');
    const { body } = await ask('task', { task: 'x', selector: 'plat == linux' });
    expect(body.data).toMatchObject({ total_sensors: 2, tasked_sensors: 1, queued_sensors: 1 });
  });
});

describe('the idempotency key', () => {
  test.each<[string, object, object]>([
    ['empty', { idempotency_key: '' }, {}],
    ['empty, beside a header', { idempotency_key: '' }, { 'idempotency-key': 'k' }],
    ['an empty header', {}, { 'idempotency-key': '' }],
    ['another than that of the header', { idempotency_key: 'k' }, { 'idempotency-key': 'l' }],
  ])('is refused where it is %s, and nothing is written', async (_what, field, headers) => {
    const { status, body } = await ask('task', { task: 'x', ...field }, headers);
    expect([status, body.error_code]).toEqual([400, 'data_invalid']);
    expect(body.error).toMatch(/dempotency/);
    expect(memory.appended).toEqual([]);
  });

  test('may be given in both, and null counts as left out', async () => {
    const both = await ask('task', { task: 'x', idempotency_key: 'k' }, { 'idempotency-key': 'k' });
    const header = await ask('task', { task: 'x', idempotency_key: null }, { 'idempotency-key': 'k' });
    expect([both, header].map(({ body }) => body.data.task_id)).toEqual(Array(2).fill(taskIdForKey(OID, 'k')));
  });

  test('is spoken of where a retry could queue a task twice, and nowhere else', async () => {
    memory.kafkaFault = unavailable('Kafka is away.');
    const { status, body } = await ask('task', { task: 'x' });
    expect([status, body.error]).toEqual([503, expect.stringMatching(/^Kafka is away\..*idempotency key/)]);
    const removed = await ask('untask', { task_id: 't' });
    expect([removed.status, removed.body.error]).toEqual([503, 'Kafka is away. Try again in a moment.']);
    memory.usable = false;
    expect((await ask('task', { task: 'x' })).body.error).not.toContain('idempotency');
  });

  test('gives the same task to a retry, by field or by header, and writes once', async () => {
    const first = await ask('task', { task: 'x', idempotency_key: 'k' });
    const again = await ask('task', { task: 'x' }, { 'idempotency-key': 'k' });
    expect(first.body.data.task_id).toBe(taskIdForKey(OID, 'k'));
    expect(again.body.data).toEqual(first.body.data);
    expect(memory.appended).toHaveLength(1);
  });

  test('with other content is a conflict, and writes nothing', async () => {
    await ask('task', { task: 'x', idempotency_key: 'k' });
    for (const data of [{ task: 'y' }, { task: 'x', ttl: 1 }, { task: 'x', tag: 't' }, { task: 'x', context: 'c' }]) {
      const { status, body } = await ask('task', { ...data, idempotency_key: 'k' });
      expect([status, body.error_code]).toEqual([409, 'idempotency_conflict']);
    }
    expect(memory.appended).toHaveLength(1);
  });

  test('of a removed task is a conflict', async () => {
    const id = await queue({ idempotency_key: 'k' });
    await ask('untask', { task_id: id });
    const { status, body } = await ask('task', { task: 'os_version', idempotency_key: 'k' });
    expect([status, body.error_code]).toEqual([409, 'idempotency_conflict']);
  });

  test('a race that the log decided is reported too', async () => {
    const id = taskIdForKey(OID, 'k');
    await queue({ idempotency_key: 'k' });
    const winner = memory.tasks.get(id)!;
    memory.tasks.delete(id);
    memory.afterAppend = () => {
      memory.tasks.set(id, { ...winner, contentHash: 'other' });
    };
    const { status, body } = await ask('task', { task: 'os_version', idempotency_key: 'k' });
    expect([status, body.error_code]).toEqual([409, 'idempotency_conflict']);
  });
});

describe('list', () => {
  const ids = (body: { data: Record<string, unknown> }) =>
    (body.data.tasks as { task_id: string }[]).map(({ task_id }) => task_id).sort();

  test('shows every pending task with who has acknowledged', async () => {
    const id = await queue({ context: 'c', ttl: 60, sid: 'a' });
    memory.setDelivery(id, 'a', { state: 'done' });
    memory.setDelivery(id, 'b', { state: 'failed' });
    memory.setDelivery(id, 'c', { state: 'sent' });
    const { status, body } = await ask('list', {});
    expect(status).toBe(200);
    expect(body).toEqual({
      error: '',
      version: 1,
      data: {
        tasks: [
          {
            task_id: id,
            task: 'os_version',
            sensor_selector: 'sid == "a"',
            context: 'c',
            ttl: 60,
            created_at: memory.nowMs,
            expires_at: memory.nowMs + 60_000,
            issued_by: 'all',
            acknowledged: ['a', 'b'],
            acknowledged_count: 2,
          },
        ],
      },
    });
  });

  test('without a limit gives all, however many', async () => {
    const made = await Promise.all(Array.from({ length: 450 }, () => queue({})));
    const { body } = await ask('list', {});
    expect(ids(body)).toEqual(made.sort());
    expect(body.data).not.toHaveProperty('next_cursor');
  });

  test('with a limit gives pages that together are all', async () => {
    const made = await Promise.all(Array.from({ length: 7 }, () => queue({})));
    const seen: string[] = [];
    let cursor: unknown;
    do {
      const { body } = await ask('list', { limit: 3, cursor });
      expect(ids(body).length).toBeLessThanOrEqual(3);
      seen.push(...ids(body));
      cursor = body.data.next_cursor;
    } while (cursor !== undefined);
    expect(seen.sort()).toEqual(made.sort());
  });

  test('with a target gives the tasks that a sensor of it still has to run', async () => {
    memory.addSensor('a', { plat: LINUX });
    memory.addSensor('b');
    const linux = await queue({ selector: 'plat == linux' });
    const all = await queue({});
    const windows = await queue({ selector: 'plat == windows' });
    const done = await queue({ sid: 'a' });
    memory.setDelivery(done, 'a', { state: 'failed' });
    memory.setDelivery(all, 'b', { state: 'removed' });
    memory.setDelivery(linux, 'a', { state: 'sent' });
    expect(ids((await ask('list', { sid: 'a' })).body)).toEqual([linux, all].sort());
    expect(ids((await ask('list', { selector: 'plat == windows' })).body)).toEqual([windows]);
    expect(ids((await ask('list', { sid: 'nobody' })).body)).toEqual([]);
    expect(ids((await ask('list', { selector: '*' })).body)).toEqual([linux, all, windows, done].sort());
  });

  test('shows ended tasks when asked, and a task that has just expired nowhere else', async () => {
    const removed = await queue({});
    await ask('untask', { task_id: removed });
    const over = await queue({ ttl: 0 });
    expect(ids((await ask('list', {})).body)).toEqual([]);
    expect(ids((await ask('list', { state: 'ended' })).body)).toEqual([removed]);
    expect(memory.tasks.get(over)?.state).toBe('pending');
  });

  test.each([{ state: 'gone' }, { limit: 0 }, { limit: 'x' }, { cursor: 'abc' }, { cursor: 7 }])(
    'refuses %o',
    async (data) => {
      const { status, body } = await ask('list', data);
      expect([status, body.error_code]).toEqual([400, 'data_invalid']);
    },
  );

  test('a cursor of another listing is refused', async () => {
    await Promise.all([queue({}), queue({})]);
    const { body } = await ask('list', { limit: 1 });
    expect((await ask('list', { limit: 1, state: 'ended', cursor: body.data.next_cursor })).status).toBe(400);
    for (const start of ['x', 'NaN t1', '(1 t1', '1e999 t1'])
      expect((await ask('list', { limit: 1, cursor: cursorOf('pending', start) })).status).toBe(400);
  });
});

describe('untask', () => {
  test('removes a task, and counts the deliveries that were due', async () => {
    for (const sid of ['a', 'b', 'c', 'd']) memory.addSensor(sid);
    const id = await queue({});
    memory.setDelivery(id, 'a', { state: 'done' });
    memory.setDelivery(id, 'b', { state: 'sent' });
    const { status, body } = await ask('untask', { task_id: id });
    expect([status, body.data]).toEqual([200, { deleted: 3, tasks: 1 }]);
    expect((await ask('untask', { task_id: id })).body.data).toEqual({ deleted: 0, tasks: 0 });
  });

  test('of an unknown task deletes nothing, but is written: the task may be on the log ahead of us', async () => {
    const { status, body } = await ask('untask', { task_id: 'nope' });
    expect([status, body.data]).toEqual([200, { deleted: 0, tasks: 0 }]);
    expect(memory.appended).toMatchObject([{ action: 'UNTASK', task_id: 'nope', untask_selector: null }]);
  });

  test('with * removes all tasks of the org', async () => {
    memory.addSensor('a');
    await Promise.all([queue({}), queue({}), queue({ selector: 'plat == linux' })]);
    expect((await ask('untask', { selector: '*' })).body.data).toEqual({ deleted: 2, tasks: 3 });
    expect((await ask('list', {})).body.data).toEqual({ tasks: [] });
  });

  test('of one sensor and one task withdraws that delivery alone', async () => {
    for (const sid of ['a', 'b']) memory.addSensor(sid);
    const id = await queue({});
    expect((await ask('untask', { task_id: id, sid: 'a' })).body.data).toEqual({ deleted: 1, tasks: 0 });
    expect(memory.appended.at(-1)).toMatchObject({ action: 'UNTASK', task_id: id, untask_selector: 'sid == "a"' });
    expect(memory.tasks.get(id)?.state).toBe('pending');
  });

  test('of one sensor withdraws it from the tasks that it still has to run, and touches no other', async () => {
    memory.addSensor('a');
    const due = await queue({});
    const done = await queue({});
    const other = await queue({ selector: 'plat == linux' });
    memory.setDelivery(done, 'a', { state: 'done' });
    expect((await ask('untask', { sid: 'a' })).body.data).toEqual({ deleted: 1, tasks: 0 });
    const touched = memory.appended.filter(({ action }) => action === 'UNTASK').map(({ task_id }) => task_id);
    expect(touched).toEqual([due]);
    expect(touched).not.toContain(other);
  });

  test.each([{}, { selector: '' }, { selector: null, sid: null }])('refuses %o: it says nothing', async (data) => {
    await queue({});
    const { status, body } = await ask('untask', data);
    expect([status, body.error_code]).toEqual([400, 'target_missing']);
    expect(memory.appended).toHaveLength(1);
  });

  test('waits for claims that were taken before', async () => {
    const id = await queue({});
    memory.inFlight = [{ batch: 'b', untilMs: memory.nowMs + 10_000 }];
    let answered = false;
    const answer = ask('untask', { task_id: id }).then((value) => {
      answered = true;
      return value;
    });
    await expect.poll(() => memory.tasks.get(id)?.state).toBe('removed');
    await expect.poll(() => memory.inFlightAsked).toBeGreaterThan(2);
    expect(answered).toBe(false);
    memory.inFlight = [];
    expect((await answer).status).toBe(200);
  });

  test('not applied in time: 202 with the id', async () => {
    const id = await queue({});
    memory.behind = true;
    const { status, body } = await ask('untask', { task_id: id });
    expect([status, body.data]).toEqual([202, { task_id: id }]);
  });

  test('refuses a task_id that is none', async () => {
    const { status, body } = await ask('untask', { task_id: 'a/b' });
    expect([status, body.error_code]).toEqual([400, 'task_id_invalid']);
  });
});

describe('get', () => {
  test('shows where each sensor stands, and counts them', async () => {
    for (const sid of ['a', 'b', 'c', 'd', 'e']) memory.addSensor(sid, { hostname: `host-${sid}` }, sid !== 'e');
    const id = await queue({});
    memory.setDelivery(id, 'a', { state: 'done' });
    memory.setDelivery(id, 'b', { state: 'failed', reason: '5' });
    memory.setDelivery(id, 'c', { state: 'sent', attempt: 2 });
    memory.setDelivery(id, 'd', { state: 'removed', attempt: 0 });
    memory.setDelivery(id, 'gone', { state: 'done' });
    const { status, body } = await ask('get', { task_id: id });
    expect(status).toBe(200);
    expect(body.data).toMatchObject({
      task_id: id,
      state: 'pending',
      acknowledged_count: 3,
      counts: { queued: 1, sent: 1, done: 2, failed: 1, expired: 0, removed: 1 },
    });
    const rows = body.data.sensors as Record<string, unknown>[];
    expect(rows.map(({ sid, hostname, state }) => [sid, hostname, state])).toEqual([
      ['a', 'host-a', 'done'],
      ['b', 'host-b', 'failed'],
      ['c', 'host-c', 'sent'],
      ['d', 'host-d', 'removed'],
      ['e', 'host-e', 'queued'],
      ['gone', '', 'done'],
    ]);
    expect(rows[1]?.reason).toContain('error 5');
    expect(body.data).not.toHaveProperty('ended_at');
  });

  test('pages by sid, with the counts of all on each page', async () => {
    for (let n = 0; n < 25; n += 1) memory.addSensor(`s-${n}`);
    const id = await queue({});
    const seen: string[] = [];
    let cursor: unknown;
    do {
      const { body } = await ask('get', { task_id: id, limit: 4, cursor });
      seen.push(...(body.data.sensors as { sid: string }[]).map(({ sid }) => sid));
      expect(body.data.counts).toMatchObject({ queued: 25 });
      cursor = body.data.next_cursor;
    } while (cursor !== undefined);
    expect(seen).toEqual([...memory.sensors.keys()].sort());
  });

  test('after the end nothing is queued any more', async () => {
    memory.addSensor('a');
    memory.addSensor('late', { enroll: memory.nowMs + 1_000 });
    const removed = await queue({});
    await ask('untask', { task_id: removed });
    expect((await ask('get', { task_id: removed })).body.data).toMatchObject({
      state: 'removed',
      ended_at: memory.nowMs,
      counts: { queued: 0, removed: 1 },
    });
    const expired = await queue({ ttl: 0 });
    expect((await ask('get', { task_id: expired })).body.data).toMatchObject({
      state: 'expired',
      counts: { queued: 0 },
    });
  });

  test('an unknown task is 404, a missing id 400', async () => {
    const unknown = await ask('get', { task_id: 'nope' });
    expect([unknown.status, unknown.body.error_code]).toEqual([404, 'task_unknown']);
    const missing = await ask('get', {});
    expect([missing.status, missing.body.error_code]).toEqual([400, 'task_id_invalid']);
  });

  test('an answer that spans the loss of the projection is not given', async () => {
    const id = await queue({});
    memory.onRead = (name) => {
      if (name === 'scanSensors') memory.epoch = 'e2';
    };
    expect((await ask('get', { task_id: id })).status).toBe(503);
  });
});
