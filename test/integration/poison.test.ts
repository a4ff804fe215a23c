/** Any bytes on any topic that a role reads: a dead letter with its headers, and the partition goes on. Seeded. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { OutRecord } from '../../src/edges/kafka/producer.ts';
import type { TaskEvent } from '../../src/model/records.ts';
import { samples } from '../edges/avro/samples.ts';
import { System, soon } from './support/system.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
const PER_TOPIC = 100;

const INPUTS = {
  commands: 'TaskCommand',
  presence: 'SensorPresence',
  sensorEvents: 'SensorEvent',
  taskEvents: 'TaskEvent',
} as const;
type Input = keyof typeof INPUTS;

const system = new System();

/** Bytes that are no record of the topic: noise, headers of both encodings with noise behind, good records cut off or with a
 *  byte changed in their header, lengths that promise gigabytes, other records. */
function poison(input: Input): fc.Arbitrary<Buffer | null> {
  const good = system.codec.encode(INPUTS[input], samples[INPUTS[input]] as never);
  const header = good.subarray(0, 10);
  const bytes = fc.uint8Array({ maxLength: 60 }).map((list) => Buffer.from(list));
  return fc.oneof(
    bytes,
    fc.constant(null),
    bytes.map((rest) => Buffer.concat([Buffer.from([0, 0, 0, 0, 99]), rest])),
    fc.nat(good.length - 1).map((length) => good.subarray(0, length)),
    fc
      .nat(9)
      .map((at) => Buffer.concat([good.subarray(0, at), Buffer.from([good[at]! ^ 0x55]), good.subarray(at + 1)])),
    fc.constant(Buffer.concat([header, Buffer.from('feffffffffffffffff01', 'hex')])),
    fc.constant(Buffer.concat([header, Buffer.from('80808080808080808001', 'hex')])),
    fc.constant(Buffer.concat([good, Buffer.from([1])])),
  );
}

const keys = fc.oneof(
  fc.constant(null),
  fc.constantFrom('', 'a', '\u0000', 'x'.repeat(5_000)),
  fc.uint8Array({ maxLength: 20 }).map((list) => Buffer.from(list)),
);

const records = (input: Input): OutRecord[] =>
  fc.sample(fc.record({ key: keys, value: poison(input), headers: fc.constantFrom({}, { trace: 'mine' }) }), {
    seed,
    numRuns: PER_TOPIC,
  });

const deadLettersOf = (input: Input) =>
  system.seen.deadLetters.filter(({ headers }) => String(headers['rt-source-topic']) === system.topics[input]);

describe(`poison (seed ${seed})`, () => {
  beforeAll(() => system.start());
  afterAll(() => system.stop());

  it.each(Object.keys(INPUTS) as Input[])('on %s becomes dead letters, one for each record', async (input) => {
    await system.producer.send(system.topics[input], records(input));
    await vi.waitFor(() => expect(deadLettersOf(input)).toHaveLength(PER_TOPIC), soon);
    const sources = new Set<string>();
    for (const { headers } of deadLettersOf(input)) {
      sources.add(`${headers['rt-source-partition']}:${headers['rt-source-offset']}`);
      expect(String(headers['rt-error-code'])).toMatch(
        /^(record_undecodable|schema_unknown|record_invalid|\w+_invalid|key_mismatch)$/,
      );
      expect(String(headers['rt-error'])).not.toBe('');
      expect(Number(headers['rt-failed-at'])).toBeGreaterThan(0);
    }
    expect(sources.size).toBe(PER_TOPIC);
  });

  it('on sensor-state, org-settings and dead-letter itself is passed over, and of the first two becomes dead letters', async () => {
    for (const topic of ['sensorState', 'orgSettings', 'deadLetter'] as const)
      await system.producer.send(
        system.topics[topic],
        Array.from({ length: 40 }, (_, i) => ({
          key: `k${i}`,
          value: Buffer.from(`${i} no record`),
          headers: { trace: 'mine' },
          partition: topic === 'orgSettings' ? 0 : i % 4,
        })),
      );
    const deadLetters = (topic: string) =>
      system.seen.deadLetters.filter(({ headers }) => String(headers['rt-source-topic']) === topic);
    await vi.waitFor(() => {
      for (const topic of [system.topics.sensorState, system.topics.orgSettings])
        expect(deadLetters(topic)).toHaveLength(40);
    }, soon);
    for (const { headers } of deadLetters(system.topics.orgSettings))
      expect([String(headers['rt-error-code']), String(headers.trace)]).toEqual(['record_undecodable', 'mine']);
    await system.redis.flushall();
    await vi.waitFor(async () => {
      for (const name of system.roles.keys()) expect(await system.ready(name), name).toBe(true);
    }, soon);
  });

  it('that decodes, but names no sensor, task or time, changes nothing', async () => {
    const [taskId, sid, gone] = [randomUUID(), randomUUID(), `${randomUUID()} x`];
    const event = (change: Partial<TaskEvent>): OutRecord => {
      const whole = { ...samples.TaskEvent, oid: system.oid, task_id: taskId, occurred_at: Date.now(), ...change };
      return { key: whole.task_id, value: system.codec.encode('TaskEvent', whole), headers: { 'rt-epoch': 'other' } };
    };
    const before = deadLettersOf('taskEvents').length;
    await system.command({ task_id: taskId, selector: `sid == "${sid}"` });
    await vi.waitFor(() => expect(system.eventsOf(taskId, 'ADD_TASK')).toHaveLength(1), soon);
    const bad = [
      event({ type: 'TASK_DONE', sid: '=s' }),
      event({ type: 'TASK_SENT', sid: 'a\u0000b' }),
      event({ type: 'TASK_DONE', task_id: '{x}' }),
      ...['1e300', '1e999', '-1', '0.5'].map((text) =>
        event({ type: 'TASK_DONE', task_id: randomUUID(), detail: `{"expires_at":${text}}` }),
      ),
    ];
    await system.producer.send(system.topics.taskEvents, bad);
    await system.producer.send(system.topics.taskEvents, [
      event({ type: 'TASK_FAILURE', task_id: randomUUID(), detail: '{"error_code":{"toString":1}}' }),
    ]);
    await vi.waitFor(() => expect(deadLettersOf('taskEvents')).toHaveLength(before + bad.length), soon);
    expect(await system.redis.hget(`{${system.oid}}:p:${taskId}`, '=s')).toBe('p');

    const state = { ...samples.SensorState, oid: system.oid, sid: gone };
    await system.producer.send(system.topics.sensorState, [
      { key: `${system.oid}/${gone}`, value: system.codec.encode('SensorState', state) },
    ]);
    await system.redis.flushall();
    await system.presence({ sid });
    await vi.waitFor(() => expect(system.sent(taskId, sid)).toHaveLength(1), soon);
    await system.answer({ sid, task_id: taskId, event: `{"ERROR":${'['.repeat(50_000)}${']'.repeat(50_000)}}` });
    const tooDeep = () =>
      deadLettersOf('sensorEvents').filter(({ headers }) => String(headers['rt-error-code']) === 'nested_too_deep');
    await vi.waitFor(() => expect(tooDeep()).toHaveLength(1), soon);
    await system.answer({ sid, task_id: taskId, event: '{"ERROR":5}' });
    await vi.waitFor(() => expect(system.eventsOf(taskId, 'TASK_FAILURE', sid)).toHaveLength(1), soon);
    const all = randomUUID();
    await system.command({ task_id: all, selector: null });
    await vi.waitFor(() => expect(system.sent(all, sid)).toHaveLength(1), soon);
    expect(system.sent(all, gone)).toEqual([]);
  });

  it('stops nothing: every partition goes on', async () => {
    expect(system.restarts).toEqual([]);
    const sids = Array.from({ length: 24 }, () => randomUUID());
    for (const sid of sids) await system.presence({ sid });
    const tasks = sids.map((sid) => ({ sid, task_id: randomUUID() }));
    for (const { sid, task_id } of tasks) await system.command({ task_id, selector: `sid == "${sid}"` });
    await vi.waitFor(
      () => expect(tasks.filter(({ task_id, sid }) => system.sent(task_id, sid).length === 0)).toEqual([]),
      soon,
    );
    for (const { sid, task_id } of tasks) await system.answer({ sid, task_id });
    await vi.waitFor(
      () => expect(tasks.filter(({ task_id }) => system.eventsOf(task_id, 'TASK_DONE').length !== 1)).toEqual([]),
      soon,
    );
  });
});
