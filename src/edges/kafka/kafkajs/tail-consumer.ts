/**
 * One life of a tail's consumer, in a group that nobody else is in. It ends with `onCrash`, whatever kafkajs thinks of the
 * error: a new life with a new group waits for no session of the old one. Places and turns outlive it.
 */
import { randomUUID } from 'node:crypto';
import type { EachBatchPayload, Kafka } from 'kafkajs';
import type { InRecord } from '../../../ports.ts';
import { inRecordOf } from './in-record.ts';

/** Next offset by partition, and who waits for it. */
export class Positions {
  readonly next: Map<number, number>;
  readonly #waiters = new Set<() => void>();
  /** Of each partition, the last hand-over that has begun. */
  readonly #turns = new Map<number, Promise<void>>();

  constructor(start: ReadonlyMap<number, number>) {
    this.next = new Map(start);
  }

  passed(partition: number, nextOffset: number): void {
    this.next.set(partition, Math.max(this.next.get(partition) ?? 0, nextOffset));
    for (const wake of this.#waiters) wake();
  }

  reached(goal: ReadonlyMap<number, number>): Promise<void> {
    return new Promise<void>((resolve) => {
      const check = () => {
        for (const [partition, offset] of goal) if ((this.next.get(partition) ?? 0) < offset) return;
        this.#waiters.delete(check);
        resolve();
      };
      this.#waiters.add(check);
      check();
    });
  }

  /** One at a time for a partition: what an ended consumer has begun to hand over is done before its successor goes on. */
  async inTurn(partition: number, work: () => Promise<void>): Promise<void> {
    const before = this.#turns.get(partition);
    const mine = (async () => {
      await before?.catch(() => undefined);
      await work();
    })();
    this.#turns.set(partition, mine);
    await mine;
  }
}

export type TailConsumer = { start(): Promise<void>; stop(): Promise<void> };

export function tailConsumer(options: {
  kafka: Kafka;
  topic: string;
  maxWaitMs: number;
  positions: Positions;
  onRecords(records: InRecord[]): void | Promise<void>;
  /** kafkajs has given it up, and disconnected it. */
  onCrash(error: Error): void;
}): TailConsumer {
  const { kafka, topic, maxWaitMs, positions, onRecords, onCrash } = options;
  const consumer = kafka.consumer({
    groupId: `reliable-tasking-tail-${randomUUID()}`,
    sessionTimeout: 30_000,
    maxWaitTimeInMs: maxWaitMs,
    maxBytesPerPartition: 4 * 1024 * 1024 + 65_536,
    allowAutoTopicCreation: false,
    retry: { retries: 1_000_000, initialRetryTime: 100, maxRetryTime: 2_000, restartOnFailure: async () => false },
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => onCrash(payload.error));
  // A tail commits nothing: after each join, the first and any later one, it goes on from what it has handed over.
  consumer.on(consumer.events.GROUP_JOIN, () => {
    for (const [partition, offset] of positions.next) consumer.seek({ topic, partition, offset: String(offset) });
  });
  // Batches of markers or of aborted transactions alone are not handed over.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    if (payload.batchSize === 0) positions.passed(payload.partition, Number(payload.lastOffset) + 1);
  });
  const handOver = async ({ batch, resolveOffset, heartbeat, isRunning, isStale }: EachBatchPayload) => {
    const records = recordsOf(batch, positions.next.get(batch.partition) ?? 0);
    if (!isRunning() || isStale()) return;
    if (records.length > 0) await onRecords(records);
    // lastOffset also covers what is no record: markers of transactions, and what compaction took away.
    resolveOffset(batch.lastOffset());
    positions.passed(batch.partition, Number(batch.lastOffset()) + 1);
    await heartbeat();
  };
  return {
    start: async () => {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: Math.max(positions.next.size, 1),
        eachBatch: (payload) => positions.inTurn(payload.batch.partition, () => handOver(payload)),
      });
    },
    stop: () => consumer.disconnect(),
  };
}

const recordsOf = ({ topic, partition, messages }: EachBatchPayload['batch'], wanted: number): InRecord[] =>
  messages
    .filter((message) => Number(message.offset) >= wanted)
    .map((message) => inRecordOf(topic, partition, message));
