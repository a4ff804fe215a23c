/** A tail or a member whose consumer kafkajs has given up, or left hanging, goes on by itself: it would stay behind for ever. */
import { randomUUID } from 'node:crypto';
import type { ConsumerConfig, Kafka, PartitionAssigner } from 'kafkajs';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { readConfig } from '../../src/config.ts';
import { createKafka } from '../../src/edges/kafka/client.ts';
import { joinGroup } from '../../src/edges/kafka/group.ts';
import { createProducer, type Producer } from '../../src/edges/kafka/producer.ts';
import { startTail, type Tail } from '../../src/edges/kafka/tail.ts';
import type { Group } from '../../src/ports.ts';
import { soon } from './support/system.ts';

const PARTITIONS = 2;
const log = pino({ level: 'silent' });
const topic = `it-${randomUUID()}-tailed`;
let kafka: Kafka;
let producer: Producer;
let tail: Tail;
let read: string[] = [];
let faults = 0;
let thrown = 0;

/** kafkajs takes such an error for one that no try can mend, and its consumer ends. */
const onRecords = (records: { value: Buffer | null }[]): void => {
  if (faults > 0) {
    faults -= 1;
    thrown += 1;
    throw new TypeError('not now');
  }
  read.push(...records.map(({ value }) => `${value}`));
};

const say = (...values: string[]) =>
  producer.send(
    topic,
    values.map((value) => ({ key: value, value: Buffer.from(value) })),
  );
const hears = (values: string[]) => vi.waitFor(() => expect(read.toSorted()).toEqual(values.toSorted()), soon);

describe('a tail that loses its consumer', () => {
  beforeAll(async () => {
    kafka = createKafka(readConfig({ ...process.env, REDIS_URL: 'redis://unused' }), log);
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: PARTITIONS }] });
    await admin.disconnect();
    producer = await createProducer(kafka, 'durable');
  });

  afterEach(async () => {
    await tail.stop();
    read = [];
    thrown = 0;
  });

  afterAll(async () => {
    await producer?.stop();
  });

  it('goes on with what it has not handed over, as often as it happens', async () => {
    tail = await startTail({ kafka, topic, from: 'end', log, onRecords });
    await say('a', 'b', 'c');
    await hears(['a', 'b', 'c']);
    faults = 3;
    await say('d', 'e', 'f');
    const caughtUp = tail.caughtUp();
    await hears(['a', 'b', 'c', 'd', 'e', 'f']);
    await caughtUp;
    expect(thrown).toBe(3);
    await say('g');
    await hears(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  });

  it('stays stopped when it is stopped meanwhile', async () => {
    faults = 1;
    tail = await startTail({ kafka, topic, from: 'end', log, onRecords });
    await say('h');
    await vi.waitFor(() => expect(thrown).toBe(1), soon);
    await tail.stop();
    const witness = await startTail({ kafka, topic, from: 'beginning', log, onRecords: () => undefined });
    await say('i');
    await witness.caughtUp();
    await witness.stop();
    expect(read).toEqual([]);
  });
});

describe('a member of a group whose consumer hangs while it joins again', () => {
  const SESSION_MS = 6_000;
  const patient = { timeout: 60_000, interval: 100 };
  const shared = `it-${randomUUID()}-shared`;
  const groupId = `it-${randomUUID()}`;
  const seen: string[] = [];
  const groups: Group<string>[] = [];
  let real: Kafka;
  let consumers = 0;
  let hangs = false;
  let hung = false;

  /** As kafkajs has hung after a restart of the broker: no error, no event. The leader never gets its assignment done. */
  const hanging = (assignerOf: PartitionAssigner): PartitionAssigner => {
    return (given) => {
      const assigner = assignerOf(given);
      const assign: typeof assigner.assign = (members) => {
        if (!hangs) return assigner.assign(members);
        hung = true;
        return new Promise(() => {});
      };
      return { ...assigner, assign };
    };
  };
  const consumer = (config: ConsumerConfig) => {
    consumers += 1;
    if (consumers > 1) return real.consumer(config);
    return real.consumer({ ...config, partitionAssigners: (config.partitionAssigners ?? []).map(hanging) });
  };
  const join = async (kafka: Kafka): Promise<void> => {
    const next = new Map<number, number>();
    groups.push(
      await joinGroup({
        kafka,
        groupId,
        topics: [shared],
        sessionMs: SESSION_MS,
        log,
        clock: systemClock,
        onAssigned: () => {},
        wanted: async (_, partition) => next.get(partition) ?? null,
        onBatch: async ({ partition, records, nextOffset }) => {
          seen.push(...records.map(({ value }) => `${value}`));
          next.set(partition, nextOffset);
          return true;
        },
        low: async () => 0,
      }),
    );
  };

  beforeAll(async () => {
    real = createKafka(readConfig({ ...process.env, REDIS_URL: 'redis://unused' }), log);
    const admin = real.admin();
    await admin.connect();
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic: shared, numPartitions: PARTITIONS }] });
    await admin.disconnect();
  });
  afterAll(() => Promise.all(groups.map((group) => group.stop())));

  it('gets another consumer, and goes on', async () => {
    await join({ ...real, consumer } as Kafka);
    expect(groups[0]?.joined()).toBe(true);
    hangs = true;
    const other = join(real);
    await vi.waitFor(() => expect(hung).toBe(true), patient);
    await vi.waitFor(() => expect(consumers).toBe(2), patient);
    await other;
    await vi.waitFor(() => expect(groups.map((group) => group.joined())).toEqual([true, true]), patient);
    const producer = await createProducer(real, 'durable');
    const values = Array.from({ length: 20 }, (_, i) => `${i}`);
    await producer.send(
      shared,
      values.map((value) => ({ key: value, value: Buffer.from(value) })),
    );
    await vi.waitFor(() => expect(new Set(seen)).toEqual(new Set(values)), patient);
    await producer.stop();
  }, 90_000);
});
