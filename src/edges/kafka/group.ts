/**
 * Membership in a consumer group whose positions are ours, not the group's: they stand in the projection. Each batch is
 * checked against the offset that the role wants next. A batch from a later fetch is dropped and the partition sought back,
 * so that nothing is skipped whatever seek and fetch did in between.
 *
 * While a batch is worked on, heartbeats go on. The role commits by `commit`, after its effects.
 */
import type { Consumer, ConsumerEndBatchProcessEvent, EachBatchPayload, Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import type { TimeSource } from '../../clock.ts';
import type { InRecord } from '../../outbox.ts';
import type { Batch, Group, GroupOptions } from '../../ports.ts';
import { byNumber } from './assigner.ts';
import { GroupHealth } from './group-health.ts';

type Options = GroupOptions<string> & {
  kafka: Kafka;
  sessionMs: number;
  log: Logger;
  clock: Pick<TimeSource, 'after' | 'monoMs'>;
  /** The first offset that the log still has. */
  low(topic: string, partition: number): Promise<number>;
};

const RUN_AGAIN_MS = 1_000;

export async function joinGroup(options: Options): Promise<Group<string>> {
  const { kafka, groupId, topics, sessionMs, log, clock } = options;
  let held: number[] = [];
  let joined = false;
  let generation = 0;
  const nowMs = () => clock.monoMs();
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
  // kafkajs hands over no batch whose records are all markers, or of an aborted transaction: it just reads on. The role has to
  // know that it is past them, or it would wait for the end of such a log for ever.
  const passing = new Map<string, Promise<void>>();
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    if (payload.batchSize > 0) return;
    const { topic, partition } = payload;
    const key = `${topic} ${partition}`;
    const mine = generation;
    const work = passOver(options, payload, () => mine === generation && held.includes(partition))
      .catch((error) => log.warn({ err: error, topic, partition }, 'a batch without records was not passed over'))
      .finally(() => {
        if (passing.get(key) === work) passing.delete(key);
      });
    passing.set(key, work);
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
        const { topic, partition } = payload.batch;
        await passing.get(`${topic} ${partition}`);
        const mine = generation;
        const done = health.working(nowMs);
        try {
          await eachBatch(options, consumer, payload, () => mine === generation && held.includes(partition));
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
      clock.after(RUN_AGAIN_MS, runAgain);
    });
  };
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    joined = false;
    health.stopped(payload.error, nowMs());
    log.error({ err: payload.error, groupId }, 'the consumer stopped and starts again');
    if (!payload.restart) clock.after(RUN_AGAIN_MS, runAgain);
  });
  await run();
  return {
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
  options: Options,
  consumer: Consumer,
  payload: EachBatchPayload,
  mine: () => boolean,
): Promise<void> {
  const { batch } = payload;
  const { topic, partition } = batch;
  const fetched = Number((batch as unknown as { fetchedOffset: string | number }).fetchedOffset);
  let beating = true;
  const alive = () => beating && mine() && payload.isRunning() && !payload.isStale();
  const stopBeating = whileWorking(options, payload, () => {
    beating = false; // a rebalance: what is under way ends at its next check
  });
  try {
    let wanted = (await options.wanted(topic, partition)) ?? fetched;
    if (!alive()) return;
    if (fetched > wanted) wanted = Math.max(wanted, await options.low(topic, partition));
    if (fetched > wanted) {
      consumer.seek({ topic, partition, offset: String(wanted) });
      return;
    }
    const isBehind = Number(batch.lastOffset()) < wanted;
    const handled = isBehind || (await options.onBatch(batchOf(payload, recordsOf(payload, wanted), alive)));
    if (!alive()) return;
    if (handled === true) {
      payload.resolveOffset(batch.lastOffset());
      return;
    }
    consumer.seek({ topic, partition, offset: String((await options.wanted(topic, partition)) ?? wanted) });
    if (handled === false) return;
    const resume = payload.pause();
    handled.until.then(resume, resume);
  } finally {
    stopBeating();
  }
  await payload.heartbeat();
}

/** Heartbeats at intervals until it is called off; `onRefused` once the group is no longer ours. */
function whileWorking({ clock, sessionMs }: Options, payload: EachBatchPayload, onRefused: () => void): () => void {
  let callOff = () => {};
  const next = (): void => {
    callOff = clock.after(Math.floor(sessionMs / 5), () => {
      payload.heartbeat().catch(onRefused);
      next();
    });
  };
  next();
  return () => callOff();
}

type Passed = Pick<
  ConsumerEndBatchProcessEvent['payload'],
  'topic' | 'partition' | 'highWatermark' | 'firstOffset' | 'lastOffset'
>;

/** Only what begins where the role stands: behind a gap the next batch is sought back, as always. */
async function passOver(options: Options, passed: Passed, alive: () => boolean): Promise<void> {
  const { topic, partition } = passed;
  const nextOffset = Number(passed.lastOffset) + 1;
  const wanted = await options.wanted(topic, partition);
  if (wanted === null || wanted >= nextOffset || !alive()) return;
  const first = Number(passed.firstOffset ?? passed.lastOffset);
  if (first > wanted && first > (await options.low(topic, partition))) return;
  const lag = Math.max(Number(passed.highWatermark) - nextOffset, 0);
  await options.onBatch({ topic, partition, records: [], nextOffset, lag, alive });
}

function batchOf({ batch }: EachBatchPayload, records: InRecord[], alive: () => boolean): Batch<string> {
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
