/** Group membership despite kafkajs: a consumer that does not come back is replaced, a member that recovers is reported as joined, and a
 *  member that is stopped leaves, also while it joins. */
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Consumer, ConsumerConfig, Kafka, PartitionAssigner } from 'kafkajs';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/async/clock.ts';
import { readConfig } from '../../src/config.ts';
import { createKafka } from '../../src/edges/kafka/kafkajs/client.ts';
import { byNumber } from '../../src/edges/kafka/kafkajs/group/assignor.ts';
import { createGroup, type StartableGroup } from '../../src/edges/kafka/kafkajs/group/group.ts';
import { createProducer } from '../../src/edges/kafka/producer.ts';

const PARTITIONS = 2;
const SESSION_MS = 6_000;
const patient = { timeout: 60_000, interval: 100 };
const log = pino({ level: 'silent' });
const topic = `it-${randomUUID()}-shared`;
const groups: StartableGroup[] = [];
let kafka: Kafka;

/** A member that says what it reads to `onValue`. */
function memberOf(
  groupId: string,
  { by = kafka, sessionMs = SESSION_MS, onValue = (_value: string): void => undefined } = {},
): StartableGroup {
  const next = new Map<number, number>();
  const group = createGroup({
    kafka: by,
    groupId,
    topics: [topic],
    sessionMs,
    log,
    clock: systemClock,
    onAssigned: () => {},
    wanted: async (_, partition) => next.get(partition) ?? null,
    onBatch: async ({ partition, records, nextOffset }) => {
      for (const { value } of records) onValue(`${value}`);
      next.set(partition, nextOffset);
      return true;
    },
    low: async () => 0,
  });
  groups.push(group);
  return group;
}

beforeAll(async () => {
  kafka = createKafka(readConfig({ ...process.env, REDIS_URL: 'redis://unused' }), log);
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: PARTITIONS }] });
  await admin.disconnect();
});
afterAll(() => Promise.all(groups.map((group) => group.stop())));

describe('a member whose consumer does not come back while it joins again', () => {
  const groupId = `it-${randomUUID()}`;
  const seen: string[] = [];
  let consumers = 0;
  let blocks = false;
  let blocked = false;

  /** What kafkajs has done after a restart of the broker: no error, no event. The leader never completes its assignment. */
  const blocking = (assignerOf: PartitionAssigner): PartitionAssigner => {
    return (given) => {
      const assigner = assignerOf(given);
      const assign: typeof assigner.assign = (members) => {
        if (!blocks) return assigner.assign(members);
        blocked = true;
        return new Promise(() => {});
      };
      return { ...assigner, assign };
    };
  };
  const consumer = (config: ConsumerConfig) => {
    consumers += 1;
    if (consumers > 1) return kafka.consumer(config);
    return kafka.consumer({ ...config, partitionAssigners: (config.partitionAssigners ?? []).map(blocking) });
  };

  it('gets another consumer, and goes on', async () => {
    const onValue = (value: string) => void seen.push(value);
    const first = memberOf(groupId, { by: { ...kafka, consumer } as Kafka, onValue });
    await first.start();
    await vi.waitFor(() => expect(first.joined()).toBe(true), patient);
    blocks = true;
    const second = memberOf(groupId, { onValue });
    const other = second.start();
    await vi.waitFor(() => expect(blocked).toBe(true), patient);
    await vi.waitFor(() => expect(consumers).toBe(2), patient);
    await other;
    await vi.waitFor(() => expect([first.joined(), second.joined()]).toEqual([true, true]), patient);
    const producer = await createProducer(kafka, 'durable');
    const values = Array.from({ length: 20 }, (_, i) => `${i}`);
    await producer.send(
      topic,
      values.map((value) => ({ key: value, value: Buffer.from(value) })),
    );
    await vi.waitFor(() => expect(new Set(seen)).toEqual(new Set(values)), patient);
    await producer.stop();
  }, 90_000);
});

describe('a member that a coordinator which is loading would not let join again', () => {
  type Request = (payload: { groupId: string }) => Promise<unknown>;
  const require = createRequire(import.meta.url);
  const broker = require('kafkajs/src/broker').prototype as Record<'heartbeat' | 'joinGroup', Request>;
  const { createErrorFromCode } = require('kafkajs/src/protocol/error') as {
    createErrorFromCode(code: number): Error;
  };
  const NOT_COORDINATOR = 16;
  const COORDINATOR_LOAD_IN_PROGRESS = 14;

  it('is reported as joined again: it goes on as the member that it was', async () => {
    const groupId = `it-${randomUUID()}`;
    const group = memberOf(groupId);
    await group.start();
    const refused: string[] = [];
    const refuseOnce = (name: 'heartbeat' | 'joinGroup', code: number): (() => void) => {
      const real = broker[name];
      broker[name] = function refusing(payload) {
        if (payload.groupId !== groupId) return real.call(this, payload);
        broker[name] = real;
        refused.push(name);
        return Promise.reject(createErrorFromCode(code));
      };
      return () => {
        broker[name] = real;
      };
    };
    const restore = [refuseOnce('joinGroup', COORDINATOR_LOAD_IN_PROGRESS), refuseOnce('heartbeat', NOT_COORDINATOR)];
    try {
      await vi.waitFor(() => expect(group.joined()).toBe(false), { timeout: 30_000, interval: 1 });
      // By the next heartbeat that is accepted. The watchdog would come after half a minute, and prove nothing.
      await vi.waitFor(() => expect(group.joined()).toBe(true), { timeout: 15_000, interval: 100 });
      expect(refused).toEqual(['heartbeat', 'joinGroup']);
    } finally {
      for (const back of restore) back();
    }
  });
});

describe('a member that is stopped while it joins', () => {
  const groupId = `it-${randomUUID()}`;
  /** As others of the group may take it: it hears of the second one's join by a heartbeat, seconds later. */
  let slow: Consumer;

  beforeAll(async () => {
    slow = kafka.consumer({
      groupId,
      partitionAssigners: [byNumber(() => [])],
      sessionTimeout: 30_000,
      rebalanceTimeout: 30_000,
      heartbeatInterval: 3_000,
    });
    await slow.connect();
    await slow.subscribe({ topics: [topic] });
    await slow.run({ eachMessage: async () => undefined });
  });
  afterAll(() => slow.disconnect());

  it('leaves, and its start ends', async () => {
    const members = async () => (await slow.describeGroup()).members.length;
    await vi.waitFor(async () => expect(await members()).toBe(1), patient);
    const second = memberOf(groupId, { sessionMs: 30_000 });
    const started = second.start().catch((error: Error) => error.message);
    await vi.waitFor(async () => expect(await members()).toBe(2), patient);
    await second.stop();
    expect(await started).toContain('left before it was joined');
    await vi.waitFor(async () => expect(await members()).toBe(1), { timeout: 5_000, interval: 100 });
  });
});
