import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HttpServer } from '../../../src/edges/http/server.ts';
import { DELIVERY_STATES, type DeliveryState, isAnswered } from '../../../src/model/states.ts';
import type { Delivery } from '../../../src/model/task.ts';
import { ALIVE_AT_MS, act, Memory, startApi, tokenOf } from '../support/memory.ts';

const LINUX = 0x20000000;
const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);

let memory: Memory;
let server: HttpServer;
let jwt: string;

beforeEach(async () => {
  memory = new Memory();
  server = await startApi(memory);
  jwt = await tokenOf(server);
});
afterEach(() => server.close());

const ask = async (action: string, data: unknown) => (await act(server, jwt, action, data)).body.data;
const newTask = async (data: object = {}): Promise<string> =>
  (await ask('task', { task: 'run', selector: 'plat == linux and hostname == a', ttl: 60, ...data })).task_id as string;
const why = (task_id: string, sid = 's') => ask('why', { task_id, sid });
const timeOf = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;

describe('why a sensor has not run a task', () => {
  const MATCHING = { plat: LINUX, hostname: 'a' };
  const delivery = (change: Partial<Delivery>) => (id: string) =>
    memory.setDelivery(id, 's', { reason: '', ...change });
  const nothing = () => undefined;
  const since = timeOf(ALIVE_AT_MS);

  it.each<[string, (() => void) | null, (id: string) => unknown, object, RegExp]>([
    ['never seen', null, nothing, { state: 'none', reason: 'never_seen' }, /never seen/],
    [
      'another host',
      () => memory.addSensor('s', { plat: LINUX, hostname: 'b' }),
      nothing,
      { state: 'none', reason: 'no_match' },
      /does not match: hostname == "a" is false \(it has "b"\)\.$/,
    ],
    [
      'two clauses',
      () => memory.addSensor('s', { hostname: 'b' }),
      nothing,
      { state: 'none', reason: 'no_match' },
      /plat == "linux" is false .*; hostname == "a" is false/,
    ],
    [
      'offline',
      () => memory.addSensor('s', MATCHING, false),
      nothing,
      { state: 'queued', reason: 'offline', at: ALIVE_AT_MS },
      new RegExp(`offline since ${since}`),
    ],
    [
      'announced, and never connected',
      () => memory.addSensor('s', { ...MATCHING }, null),
      nothing,
      { state: 'queued', reason: 'offline' },
      /^The sensor has not connected yet; it gets the task when it connects\.$/,
    ],
    ['online', () => memory.addSensor('s', MATCHING), nothing, { state: 'queued', reason: 'due' }, /sent at once/],
    [
      'sent',
      () => memory.addSensor('s', MATCHING),
      delivery({ state: 'sent', attempt: 2, atMs: 5_000 }),
      { state: 'sent', reason: 'awaiting_receipt', at: 5_000 },
      /Attempt 2 was sent at 1970-01-01T00:00:05Z, and its receipt is awaited since\.$/,
    ],
    [
      'sent, then offline',
      () => memory.addSensor('s', MATCHING, false),
      delivery({ state: 'sent', attempt: 1, atMs: 5_000 }),
      { state: 'sent', reason: 'awaiting_receipt' },
      new RegExp(`offline since ${since}, and gets it again`),
    ],
    [
      'sent, then changed',
      () => memory.addSensor('s', { ...MATCHING, hostname: 'b' }),
      delivery({ state: 'sent', attempt: 1, atMs: 5_000 }),
      { state: 'sent', reason: 'no_longer_matches' },
      /no longer matches: hostname == "a" is false/,
    ],
    ['done', null, delivery({ state: 'done', atMs: 7 }), { state: 'done', reason: 'done', at: 7 }, /has answered/],
    ['failed', null, delivery({ state: 'failed', reason: '5' }), { state: 'failed', reason: 'failed' }, /error 5/],
    ['withdrawn', null, delivery({ state: 'removed' }), { state: 'removed', reason: 'removed' }, /withdrawn/],
    [
      'removed',
      () => memory.addSensor('s', MATCHING),
      (id) => ask('untask', { task_id: id }),
      { state: 'removed', reason: 'removed' },
      /removed before/,
    ],
    [
      'expired',
      () => memory.addSensor('s', MATCHING),
      () => {
        memory.nowMs += 61_000;
      },
      { state: 'expired', reason: 'expired' },
      /expired before it could be sent/,
    ],
    [
      'expired, sent before',
      () => memory.addSensor('s', MATCHING),
      (id) => {
        delivery({ state: 'sent', attempt: 1 })(id);
        memory.nowMs += 61_000;
      },
      { state: 'expired', reason: 'expired' },
      /sent, but expired/,
    ],
    [
      'enrolled after the end',
      () => memory.addSensor('s', { ...MATCHING, enroll: memory.nowMs + 120_000 }),
      () => {
        memory.nowMs += 61_000;
      },
      { state: 'none', reason: 'enrolled_after_end' },
      /enrolled after/,
    ],
  ])('%s', async (_name, sensor, then, answer, sentence) => {
    sensor?.();
    const id = await newTask();
    await then(id);
    const found = await why(id);
    expect(found).toMatchObject({ task_id: id, sid: 's', ...answer });
    expect(found.sentence).toMatch(sentence);
    expect(found.at).toEqual(expect.any(Number));
  });

  it('is not known of an unknown task, and 503 when the projection was lost', async () => {
    expect(await act(server, jwt, 'why', { task_id: 'never', sid: 's' })).toMatchObject({
      status: 404,
      body: { error_code: 'task_unknown' },
    });
    const id = await newTask();
    memory.onRead = (name) => {
      if (name === 'readSensors') memory.epoch = 'e2';
    };
    expect((await act(server, jwt, 'why', { task_id: id, sid: 's' })).status).toBe(503);
  });
});

it(`show, list and why agree on every delivery, for anything stored (seed ${seed})`, async () => {
  const stored = fc.record({
    state: fc.constantFrom<Delivery['state']>('sent', 'done', 'failed', 'removed'),
    attempt: fc.integer({ min: 1, max: 3 }),
  });
  const sensors = fc.array(fc.record({ delivery: fc.option(stored), online: fc.boolean(), linux: fc.boolean() }), {
    maxLength: 12,
  });
  const ends = fc.constantFrom('pending', 'expired', 'removed');
  await fc.assert(
    fc.asyncProperty(sensors, ends, async (all, end) => {
      memory.sensors.clear();
      const task_id = await newTask({ selector: 'plat == linux' });
      for (const [i, { delivery, online, linux }] of all.entries()) {
        memory.addSensor(`s${i}`, linux ? { plat: LINUX } : {}, online);
        if (delivery) memory.setDelivery(task_id, `s${i}`, delivery);
      }
      if (end === 'removed') await ask('untask', { task_id });
      const task = memory.tasks.get(task_id)!;
      if (end === 'expired') {
        memory.nowMs += 61_000; // and the sweep has been there
        memory.tasks.set(task_id, { ...task, state: 'expired', endedAtMs: task.expiresAtMs });
      }
      const details = (await ask('get', { task_id })) as unknown as {
        counts: Record<DeliveryState, number>;
        sensors: { sid: string; state: DeliveryState }[];
      };
      const { counts } = details;
      const answered = DELIVERY_STATES.filter(isAnswered).reduce((sum, state) => sum + counts[state], 0);
      const { tasks } = (await ask('list', end === 'pending' ? {} : { state: 'ended' })) as unknown as {
        tasks: { task_id: string; acknowledged_count: number }[];
      };
      expect(tasks.find((task) => task.task_id === task_id)?.acknowledged_count).toBe(answered);
      const states = new Map(details.sensors.map(({ sid, state }) => [sid, state]));
      expect([...states.values()].sort()).toEqual(
        DELIVERY_STATES.flatMap((state) => Array.from({ length: counts[state] }, () => state)).sort(),
      );
      for (const i of all.keys()) expect((await why(task_id, `s${i}`)).state).toBe(states.get(`s${i}`) ?? 'none');
      memory.tasks.clear();
    }),
    { seed, numRuns: 60 },
  );
});
