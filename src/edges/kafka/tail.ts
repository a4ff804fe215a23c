/**
 * Follows a whole topic from its beginning or its end, outside any shared group: every process sees every record.
 * `caughtUp` resolves once everything that stood on the topic when it was called has been handed over.
 */
import { randomUUID } from 'node:crypto';
import type { Admin, Consumer, Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import type { InRecord } from '../../outbox.ts';
import { whileLeadersSettle } from './admin.ts';

export type Tail = {
  /** Next offset by partition: what stands before it has been handed over. */
  positions(): ReadonlyMap<number, number>;
  /** Resolves once everything below these next offsets has been handed over. */
  reached(goal: ReadonlyMap<number, number>): Promise<void>;
  caughtUp(): Promise<void>;
  stop(): Promise<void>;
};

export type TailOptions = {
  kafka: Kafka;
  topic: string;
  /** Or next offsets by partition; a partition that is not named is read from its end. */
  from: 'beginning' | 'end' | ReadonlyMap<number, number>;
  /** May be asynchronous; the next records of the partition wait for it. */
  onRecords(records: InRecord[]): void | Promise<void>;
  log: Logger;
  /** How long the broker may gather records before it answers. Milliseconds. */
  maxWaitMs?: number;
};

export async function startTail(options: TailOptions): Promise<Tail> {
  const { kafka, topic, log, maxWaitMs = 100 } = options;
  const admin = kafka.admin();
  const consumer = kafka.consumer({
    groupId: `reliable-tasking-tail-${randomUUID()}`,
    sessionTimeout: 30_000,
    maxWaitTimeInMs: maxWaitMs,
    maxBytesPerPartition: 4 * 1024 * 1024 + 65_536,
    allowAutoTopicCreation: false,
    retry: { retries: 1_000_000, initialRetryTime: 100, maxRetryTime: 2_000 },
  });
  const stop = async (): Promise<void> => {
    await consumer.disconnect().catch((error) => log.debug({ err: error, topic }, 'a tail did not leave cleanly'));
    await admin.disconnect();
  };
  try {
    return { ...(await run(options, admin, consumer)), stop };
  } catch (error) {
    // Whoever asks again, for as long as Kafka is away, must not leave a connection behind each time.
    await stop();
    throw error;
  }
}

async function run(
  { topic, from, onRecords }: TailOptions,
  admin: Admin,
  consumer: Consumer,
): Promise<Omit<Tail, 'stop'>> {
  await admin.connect();
  const start = await whileLeadersSettle(() => admin.fetchTopicOffsets(topic));
  const startOf = ({ partition, low, high }: { partition: number; low: string; high: string }): number => {
    if (from === 'beginning') return Number(low);
    return from === 'end' ? Number(high) : Math.max(from.get(partition) ?? Number(high), Number(low));
  };
  const next = new Map(start.map((p) => [p.partition, startOf(p)]));
  const waiters = new Set<() => void>();
  // A tail commits nothing: after each join, the first and any later one, it goes on from what it has handed over.
  consumer.on(consumer.events.GROUP_JOIN, () => {
    for (const [partition, offset] of next) consumer.seek({ topic, partition, offset: String(offset) });
  });
  const passed = (partition: number, nextOffset: number): void => {
    next.set(partition, Math.max(next.get(partition) ?? 0, nextOffset));
    for (const wake of waiters) wake();
  };
  // Batches of markers or of aborted transactions alone are not handed over.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    if (payload.batchSize === 0) passed(payload.partition, Number(payload.lastOffset) + 1);
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: Math.max(next.size, 1),
    eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning, isStale }) => {
      const wanted = next.get(batch.partition) ?? 0;
      const records = batch.messages
        .filter((message) => Number(message.offset) >= wanted)
        .map((message) => ({
          topic,
          partition: batch.partition,
          offset: Number(message.offset),
          key: message.key,
          value: message.value,
          timestampMs: Number(message.timestamp),
          headers: message.headers ?? {},
        }));
      if (!isRunning() || isStale()) return;
      if (records.length > 0) await onRecords(records);
      // lastOffset also covers what is no record: markers of transactions, and what compaction took away.
      resolveOffset(batch.lastOffset());
      passed(batch.partition, Number(batch.lastOffset()) + 1);
      await heartbeat();
    },
  });

  const reached = (goal: ReadonlyMap<number, number>): Promise<void> =>
    new Promise<void>((resolve) => {
      const check = () => {
        for (const [partition, offset] of goal) if ((next.get(partition) ?? 0) < offset) return;
        waiters.delete(check);
        resolve();
      };
      waiters.add(check);
      check();
    });

  return {
    positions: () => next,
    reached,
    caughtUp: async () => {
      const ends = await whileLeadersSettle(() => admin.fetchTopicOffsets(topic));
      const filled = ends.filter(({ low, high }) => Number(high) > Number(low));
      await reached(new Map(filled.map(({ partition, high }) => [partition, Number(high)])));
    },
  };
}
