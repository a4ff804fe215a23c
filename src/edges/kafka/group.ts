/**
 * Membership in a consumer group whose positions are ours, not the group's: they stand in the projection. Each batch is
 * checked against the offset that the role wants next. A batch from a later fetch is dropped and the partition sought back,
 * so that nothing is skipped whatever seek and fetch did in between.
 *
 * While a batch is worked on, heartbeats go on. The role commits by `commit`, after its effects.
 */
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import type { InRecord } from '../../outbox.ts';
import { byNumber } from './assigner.ts';
import { GroupHealth } from './group-health.ts';

export type Batch = {
  topic: string;
  partition: number;
  /** In order; those below the wanted offset are left out. */
  records: InRecord[];
  /** The offset after this batch. */
  nextOffset: number;
  /** How many records the log holds after this batch. */
  lag: number;
  /** False as soon as the partition may belong to somebody else, or the process stops: give up quietly. */
  alive(): boolean;
};

export type GroupOptions = {
  kafka: Kafka;
  groupId: string;
  topics: string[];
  sessionMs: number;
  log: Logger;
  /** The numbers of the partitions held from now on; called at every join, before any record comes. */
  onAssigned(partitions: number[]): void;
  /** The next offset to hand over; may wait (for a takeover). null: wherever the group has committed. */
  wanted(topic: string, partition: number): Promise<number | null>;
  /** Handles a batch. False: it was left, and the partition is read again from the wanted offset. */
  onBatch(batch: Batch): Promise<boolean>;
  /** The first offset that the log still has. */
  low(topic: string, partition: number): Promise<number>;
};

export type Group = {
  /** The partition numbers held now; empty before the first join. */
  assigned(): number[];
  joined(): boolean;
  /** Why no records come, as a sentence; null when they do. */
  fault(): string | null;
  commit(topic: string, partition: number, nextOffset: number): Promise<void>;
  /** Makes the next fetch start at the offset that the role wants. */
  seek(topic: string, partition: number, offset: number): void;
  stop(): Promise<void>;
};

const RUN_AGAIN_MS = 1_000;

export async function joinGroup(options: GroupOptions): Promise<Group> {
  const { kafka, groupId, topics, sessionMs, log } = options;
  let held: number[] = [];
  let joined = false;
  let generation = 0;
  const nowMs = () => performance.now();
  const health = new GroupHealth(nowMs());
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: sessionMs,
    rebalanceTimeout: sessionMs * 2,
    heartbeatInterval: Math.floor(sessionMs / 5),
    maxWaitTimeInMs: 50,
    maxBytesPerPartition: 2 * 1024 * 1024 + 65_536,
    allowAutoTopicCreation: false,
    partitionAssigners: [byNumber(() => held)],
    retry: { retries: 1_000_000, initialRetryTime: 100, maxRetryTime: 2_000 },
  });
  const seek = (topic: string, partition: number, offset: number): void => {
    try {
      consumer.seek({ topic, partition, offset: String(offset) });
    } catch (error) {
      // Between two joins there is nothing to seek in; the next join seeks anyway.
      log.debug({ err: error, topic, partition }, 'not sought');
    }
  };
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    held = [...new Set(Object.values(payload.memberAssignment).flat())].sort((a, b) => a - b);
    joined = true;
    health.moved(nowMs());
    generation += 1;
    log.info({ groupId, partitions: held }, 'joined the group');
    options.onAssigned(held);
    // A fetch starts where the group has committed. If nothing stands there, no batch would ever ask what is wanted.
    const mine = generation;
    for (const topic of topics) {
      for (const partition of held) {
        const seekTo = (offset: number | null) => {
          if (offset !== null && mine === generation) seek(topic, partition, offset);
        };
        options
          .wanted(topic, partition)
          .then(seekTo, (error) => log.warn({ err: error, topic, partition }, 'not sought'));
      }
    }
  });
  consumer.on(consumer.events.FETCH, () => health.moved(nowMs()));
  consumer.on(consumer.events.REBALANCING, () => {
    joined = false;
  });
  let stopped = false;
  const run = async (): Promise<void> => {
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 16,
      eachBatch: async (payload) => {
        const mine = generation;
        const still = () => mine === generation && held.includes(payload.batch.partition);
        const done = health.working(nowMs);
        try {
          await eachBatch(options, consumer, payload, still);
        } finally {
          done();
        }
      },
    });
  };
  const runAgain = (): void => {
    if (stopped) return;
    run().catch((error) => {
      log.error({ err: error, groupId }, 'the consumer cannot start again yet');
      setTimeout(runAgain, RUN_AGAIN_MS).unref();
    });
  };
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    joined = false;
    health.stopped(payload.error, nowMs());
    log.error({ err: payload.error, groupId }, 'the consumer stopped and starts again');
    if (!payload.restart) setTimeout(runAgain, RUN_AGAIN_MS).unref();
  });
  await run();
  return {
    assigned: () => held,
    joined: () => joined,
    fault: () => health.fault(joined && held.length > 0, nowMs()),
    commit: async (topic, partition, nextOffset) => {
      try {
        await consumer.commitOffsets([{ topic, partition, offset: String(nextOffset) }]);
      } catch (error) {
        // The wrapper has lost the type by which kafkajs tells that it has to join again; the cause has it.
        throw (error as { cause?: unknown }).cause ?? error;
      }
    },
    seek,
    stop: async () => {
      stopped = true;
      await consumer
        .disconnect()
        .catch((error) => log.warn({ err: error, groupId }, 'did not leave the group cleanly'));
    },
  };
}

async function eachBatch(
  options: GroupOptions,
  consumer: Consumer,
  payload: EachBatchPayload,
  mine: () => boolean,
): Promise<void> {
  const { batch } = payload;
  const { topic, partition } = batch;
  const fetched = Number((batch as unknown as { fetchedOffset: string | number }).fetchedOffset);
  let beating = true;
  const alive = () => beating && mine() && payload.isRunning() && !payload.isStale();
  const timer = setInterval(
    () => {
      payload.heartbeat().catch(() => {
        beating = false; // a rebalance: what is under way ends at its next check
      });
    },
    Math.floor(options.sessionMs / 5),
  );
  try {
    let wanted = (await options.wanted(topic, partition)) ?? fetched;
    if (!alive()) return;
    if (fetched > wanted) wanted = Math.max(wanted, await options.low(topic, partition));
    if (fetched > wanted) {
      consumer.seek({ topic, partition, offset: String(wanted) });
      return;
    }
    const records = recordsOf(payload, wanted);
    const handled = records.length === 0 || (await options.onBatch(batchOf(payload, records, alive)));
    if (!alive()) return;
    if (handled) payload.resolveOffset(batch.lastOffset());
    else consumer.seek({ topic, partition, offset: String((await options.wanted(topic, partition)) ?? wanted) });
  } finally {
    clearInterval(timer);
  }
  await payload.heartbeat();
}

function batchOf({ batch }: EachBatchPayload, records: InRecord[], alive: () => boolean): Batch {
  const nextOffset = Number(batch.lastOffset()) + 1;
  const lag = Math.max(Number(batch.highWatermark) - nextOffset, 0);
  return { topic: batch.topic, partition: batch.partition, records, nextOffset, lag, alive };
}

function recordsOf({ batch }: EachBatchPayload, wanted: number): InRecord[] {
  const records: InRecord[] = [];
  for (const message of batch.messages) {
    const offset = Number(message.offset);
    if (offset < wanted) continue;
    records.push({
      topic: batch.topic,
      partition: batch.partition,
      offset,
      key: message.key,
      value: message.value,
      timestampMs: Number(message.timestamp),
      headers: message.headers ?? {},
    });
  }
  return records;
}
