/** A tail whose consumer kafkajs has given up goes on by itself: it would stay behind for ever. */
import { randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createKafka } from '../../src/edges/kafka/kafkajs/client.ts';
import { createProducer, type Producer } from '../../src/edges/kafka/producer.ts';
import { startTail, type Tail } from '../../src/edges/kafka/tail.ts';
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
