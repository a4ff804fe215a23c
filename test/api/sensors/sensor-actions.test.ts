/** preview, explain, signal_attempt and signal_received, over a Kafka and a Redis in memory. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpServer } from '../../../src/edges/http/server.ts';
import { SELECTOR_BOUNDS } from '../../../src/selector/bounds.ts';
import { work } from '../../../src/selector/work-counter.ts';
import { OID } from '../../command/orgs.ts';
import { ALIVE_AT_MS, act, Memory, startApi, tokenOf } from '../support/memory.ts';

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

const ask = (action: string, data: unknown) => act(server, jwt, action, data);

describe('preview', () => {
  test('shows how many match, how many are online, which, and what excludes the others', async () => {
    memory.addSensor('b', { hostname: 'web-b', plat: LINUX, tags: ['prod'] });
    memory.addSensor('a', { hostname: 'web-a', plat: LINUX, tags: ['prod'] }, false);
    memory.addSensor('c', { plat: LINUX });
    memory.addSensor('d', { hostname: 'mail', tags: ['prod'] });
    memory.addSensor('e', {});
    const { status, body } = await ask('preview', { selector: 'plat == linux and prod in tags and did == ""' });
    expect([status, body.data]).toEqual([
      200,
      {
        total_sensors: 2,
        online_sensors: 1,
        sensors: [
          { sid: 'a', hostname: 'web-a', plat: 'linux', online: false },
          { sid: 'b', hostname: 'web-b', plat: 'linux', online: true },
        ],
        excluded_by: [
          { clause: 'plat == "linux"', sensors: 2 },
          { clause: '"prod" in tags', sensors: 2 },
        ],
      },
    ]);
    const either = await ask('preview', { selector: 'did == x or plat == linux' });
    expect(either.body.data.excluded_by).toEqual([{ clause: 'did == "x" or plat == "linux"', sensors: 2 }]);
  });

  test('counts the sensors for which the selector is an error, as the whole answers', async () => {
    memory.addSensor('a', { hostname: 'web-a', enroll: 7_000 });
    memory.addSensor('b', { hostname: 'mail', enroll: 8_000 });
    memory.addSensor('new', { hostname: 'web-n', enroll: null });
    const errors = async (selector: string) => (await ask('preview', { selector })).body.data.error_sensors;
    expect(await errors('enroll == 7')).toBe(1);
    expect(await errors('hostname matches web and enroll == 7')).toBe(1);
    expect(await errors('sid == a and enroll == 7')).toBeUndefined();
    expect(await errors('enroll == 7 and sid == a')).toBe(1);
    expect(await errors('sid == new or enroll == 7')).toBeUndefined();
  });

  test('counts a sensor whose text is too long for the regular expressions as an error, and explain and why say so', async () => {
    const selector = 'plat == linux and hostname matches "[xyz]*x[xyz]{900}z"';
    memory.addSensor('a', { plat: LINUX, hostname: 'x'.repeat(250_000) });
    memory.addSensor('b', { plat: LINUX, hostname: `${'x'.repeat(1_000)}z` });
    const { data } = (await ask('preview', { selector })).body;
    expect(data).toMatchObject({ total_sensors: 1, error_sensors: 1, sensors: [{ sid: 'b' }] });
    const explained = (await ask('explain', { selector, sid: 'a' })).body.data;
    expect(explained).toMatchObject({ result: 'error', clauses: [{ result: true }, { result: 'error' }] });
    const [fits, costly] = explained.clauses as { reason?: string }[];
    expect([fits?.reason, costly?.reason]).toEqual([undefined, expect.stringContaining('smaller repeat counts')]);
    const task = (await ask('task', { task: 'run', selector })).body.data;
    const { sentence } = (await ask('why', { task_id: task.task_id, sid: 'a' })).body.data;
    expect(sentence).toMatch(/ exceeds the work limit of a selector \(it has "xxx/);
  });

  test('lets other requests run, however costly its selector is', async () => {
    const text = (n: number) =>
      Array.from({ length: 1_000 }, (_, i) => ((i * i * n + (i >> 3)) % 5 < 2 ? 'x' : 'y')).join('');
    for (let n = 0; n < 60; n += 1) memory.addSensor(`s-${n}`, { hostname: `z${text(n + 3)}` });
    const selector = 'hostname matches "[xy]*x[xy]{900}z"';
    const asked = Promise.all([1, 2, 3].map(() => ask('preview', { selector })));
    let [before, longest, isDone] = [work.spent, 0, false];
    void asked.finally(() => {
      isDone = true;
    });
    while (!isDone) {
      await new Promise((resolve) => setImmediate(resolve));
      longest = Math.max(longest, work.spent - before);
      before = work.spent;
    }
    expect((await asked).map(({ body }) => body.data.error_sensors ?? 0)).toEqual([0, 0, 0]);
    expect(longest).toBeLessThan(3 * SELECTOR_BOUNDS.regexWork);
  }, 30_000);

  test('takes every sensor without a selector, and a tag or a sid for one', async () => {
    memory.addSensor('a', { tags: ['t'] });
    memory.addSensor('b', {}, false);
    expect((await ask('preview', {})).body.data).toMatchObject({
      total_sensors: 2,
      online_sensors: 1,
      excluded_by: [],
    });
    expect((await ask('preview', { tag: 't' })).body.data).toMatchObject({ total_sensors: 1 });
    expect((await ask('preview', { sid: 'b' })).body.data).toMatchObject({
      total_sensors: 1,
      online_sensors: 0,
      excluded_by: [{ clause: 'sid == "b"', sensors: 1 }],
    });
    expect((await ask('preview', { selector: `alive == ${ALIVE_AT_MS / 1000}` })).body.data.total_sensors).toBe(2);
  });

  test('pages by sid, with the totals of all on each page', async () => {
    for (let n = 0; n < 25; n += 1) memory.addSensor(`s-${n}`);
    const seen: string[] = [];
    let cursor: unknown;
    do {
      const { body } = await ask('preview', { selector: '*', limit: 4, cursor });
      expect(body.data.total_sensors).toBe(25);
      seen.push(...(body.data.sensors as { sid: string }[]).map(({ sid }) => sid));
      cursor = body.data.next_cursor;
    } while (cursor !== undefined);
    expect(seen).toEqual([...memory.sensors.keys()].sort());
  });

  test('refuses a selector that does not parse, a cursor of another one, and is 503 when the projection is lost', async () => {
    memory.addSensor('a');
    memory.addSensor('b');
    const bad = await ask('preview', { selector: 'plat = linux' });
    expect([bad.status, bad.body.error_code, bad.body.data.column]).toEqual([400, 'selector_syntax', 6]);
    const { body } = await ask('preview', { selector: '*', limit: 1 });
    expect((await ask('preview', { selector: 'sid != x', cursor: body.data.next_cursor })).status).toBe(400);
    memory.onRead = (name) => {
      if (name === 'scanFacts') memory.epoch = 'e2';
    };
    expect((await ask('preview', { selector: '*' })).status).toBe(503);
  });
});

describe('explain', () => {
  test('has each clause with its column, value and verdict', async () => {
    memory.addSensor('a', { plat: LINUX, tags: ['prod'] });
    const { status, body } = await ask('explain', { sid: 'a', selector: 'plat == windows and prod in tags' });
    expect([status, body.data]).toEqual([
      200,
      {
        result: false,
        clauses: [
          { clause: 'plat == "windows"', column: 1, value: 'linux', result: false },
          { clause: '"prod" in tags', column: 21, value: ['prod'], result: true },
        ],
      },
    ]);
    const all = await ask('explain', { sid: 'a', selector: '*' });
    expect(all.body.data).toEqual({ result: true, clauses: [] });
  });

  test('has null where the sensor has nothing, and says error', async () => {
    memory.addSensor('a', { enroll: null });
    const { body } = await ask('explain', { sid: 'a', selector: 'enroll == 1' });
    expect(body.data).toEqual({
      result: 'error',
      clauses: [{ clause: 'enroll == "1"', column: 1, value: null, result: 'error' }],
    });
  });

  test.each<[object, number, string]>([
    [{ selector: '*' }, 400, 'sid_invalid'],
    [{ sid: 'a b', selector: '*' }, 400, 'sid_invalid'],
    [{ sid: 'a' }, 400, 'data_invalid'],
    [{ sid: 'a', selector: 'colour == red' }, 400, 'selector_unknown_field'],
    [{ sid: 'nobody', selector: '*' }, 404, 'sensor_unknown'],
  ])('refuses %o', async (data, status, code) => {
    memory.addSensor('a');
    const answer = await ask('explain', data);
    expect([answer.status, answer.body.error_code]).toEqual([status, code]);
  });
});

describe('signal_attempt', () => {
  test('is a presence record that says try now, and returns whether the sensor is online', async () => {
    memory.addSensor('a');
    memory.addSensor('off', {}, false);
    const { status, body } = await ask('signal_attempt', { sid: 'a' });
    expect([status, body.data]).toEqual([200, { sid: 'a', online: true }]);
    expect(memory.presence).toEqual([
      {
        event: 'UPDATED',
        oid: OID,
        sid: 'a',
        connection_id: '',
        occurred_at: memory.nowMs,
        sensor: null,
        add_tags: [],
        remove_tags: [],
        set_should_isolate: null,
        try_now: true,
      },
    ]);
    expect((await ask('signal_attempt', { sid: 'off' })).body.data).toEqual({ sid: 'off', online: false });
  });

  test('of an unknown sensor writes nothing; what is not applied in time is 202', async () => {
    expect((await ask('signal_attempt', { sid: 'nobody' })).body.error_code).toBe('sensor_unknown');
    expect(memory.presence).toEqual([]);
    memory.addSensor('a');
    memory.behind = true;
    expect((await ask('signal_attempt', { sid: 'a' })).status).toBe(202);
    expect(memory.presence).toHaveLength(1);
  });
});

describe('signal_received', () => {
  const queue = async (data: object) =>
    (await ask('task', { task: 'os_version', ...data })).body.data.task_id as string;

  test('is a receipt with that investigation, and what get shows is settled', async () => {
    memory.addSensor('a');
    const id = await queue({ context: 'audit' });
    const { status, body } = await ask('signal_received', { sid: 'a', inv_id: `audit/${id}` });
    expect([status, body.data]).toEqual([200, { sid: 'a', task_id: id }]);
    expect(memory.sensorEvents).toEqual([
      {
        oid: OID,
        sid: 'a',
        event_type: 'RECEIPT',
        event_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        occurred_at: memory.nowMs,
        investigation_id: `audit/${id}`,
        task_id: null,
        routing: '{}',
        event: '{}',
      },
    ]);
    expect((await ask('get', { task_id: id })).body.data.counts).toMatchObject({ done: 1, queued: 0 });
  });

  test('of an unknown task or sensor writes nothing; what is not settled in time is 202', async () => {
    memory.addSensor('a');
    const id = await queue({});
    const refused = async (data: object) => (await ask('signal_received', data)).body.error_code;
    expect(await refused({ sid: 'a', inv_id: 'audit' })).toBe('task_unknown');
    expect(await refused({ sid: 'a', inv_id: 'a b' })).toBe('task_unknown');
    expect(await refused({ sid: 'b', inv_id: id })).toBe('sensor_unknown');
    expect(await refused({ sid: 'a' })).toBe('data_invalid');
    expect(await refused({ sid: 'a', inv_id: '' })).toBe('data_invalid');
    expect(memory.sensorEvents).toEqual([]);
    memory.behind = true;
    expect((await ask('signal_received', { sid: 'a', inv_id: id })).status).toBe(202);
  });

  test.each<[string, number, object | null, (id: string) => unknown]>([
    ['waits', 200, null, () => undefined],
    ['was sent', 200, { state: 'sent' }, () => undefined],
    ['was sent, though it no longer matches', 200, { state: 'sent' }, () => memory.addSensor('a', {})],
    ['was sent, and expired', 200, { state: 'sent' }, () => (memory.nowMs += 61_000)],
    ['was sent, and withdrawn', 200, { state: 'removed', attempt: 1 }, () => undefined],
    ['is settled already', 200, { state: 'done', attempt: 0 }, () => undefined],
    ['was never for the sensor', 409, null, () => memory.addSensor('a', {})],
    ['expired before it was sent', 409, null, () => (memory.nowMs += 61_000)],
    ['was removed before it was sent', 409, null, (id) => ask('untask', { task_id: id })],
    ['was withdrawn before it was sent', 409, { state: 'removed', attempt: 0 }, () => undefined],
  ])('of a task that %s is %i', async (_what, status, delivery, then) => {
    memory.addSensor('a', { plat: LINUX });
    const id = await queue({ selector: 'plat == linux', ttl: 60 });
    if (delivery !== null) memory.setDelivery(id, 'a', delivery);
    await then(id);
    const answer = await ask('signal_received', { sid: 'a', inv_id: id });
    expect([answer.status, answer.body.error_code]).toEqual([
      status,
      status === 409 ? 'task_not_for_sensor' : undefined,
    ]);
    expect(memory.sensorEvents).toHaveLength(status === 409 ? 0 : 1);
  });
});
