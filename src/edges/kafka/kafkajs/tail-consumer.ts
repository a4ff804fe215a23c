/**
 * One consumer of a tail, in a group of its own. It ends with `onCrash` at any error, also one that kafkajs takes for retriable: a
 * new consumer with a new group does not wait for the session of the old one. Positions outlive the consumer.
 */
import { randomUUID } from 'node:crypto';
import type { EachBatchPayload, Kafka } from 'kafkajs';
import type { InRecord } from '../../../ports.ts';
import { inRecordOf } from './in-record.ts';

/** Next offset by partition, and the callers that wait for it. */
export class Positions {
  readonly next: Map<number, number>;
  readonly #waiters = new Set<() => void>();
  /** By partition, the last batch that was begun. */
  readonly #lastBatches = new Map<number, Promise<void>>();

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

  /** One batch of a partition at a time: a batch of an earlier consumer ends before its successor continues. */
  async inOrder(partition: number, work: () => Promise<void>): Promise<void> {
    const before = this.#lastBatches.get(partition);
    const mine = (async () => {
      await before?.catch(() => undefined);
      await work();
    })();
    this.#lastBatches.set(partition, mine);
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
  /** kafkajs has stopped and disconnected it. */
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
  // A tail commits nothing: after each join it continues behind the records that it has passed on.
  consumer.on(consumer.events.GROUP_JOIN, () => {
    for (const [partition, offset] of positions.next) consumer.seek({ topic, partition, offset: String(offset) });
  });
  // kafkajs passes on no batch that holds only control records or aborted records.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    if (payload.batchSize === 0) positions.passed(payload.partition, Number(payload.lastOffset) + 1);
  });
  const handOver = async ({ batch, resolveOffset, heartbeat, isRunning, isStale }: EachBatchPayload) => {
    const records = recordsOf(batch, positions.next.get(batch.partition) ?? 0);
    if (!isRunning() || isStale()) return;
    if (records.length > 0) await onRecords(records);
    // lastOffset also covers offsets without a record: those of transaction markers and of compacted records.
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
        eachBatch: (payload) => positions.inOrder(payload.batch.partition, () => handOver(payload)),
      });
    },
    stop: () => consumer.disconnect(),
  };
}

const recordsOf = ({ topic, partition, messages }: EachBatchPayload['batch'], wanted: number): InRecord[] =>
  messages
    .filter((message) => Number(message.offset) >= wanted)
    .map((message) => inRecordOf(topic, partition, message));
