/**
 * One life of a member of a group: one consumer of kafkajs, from its first join until it is given up. From then on nothing
 * that its consumer still says or hands over counts.
 */
import { withinMs } from '../../../../async/within-ms.ts';
import type { Group } from '../../../../ports.ts';
import { byNumber } from './assignor.ts';
import { eachBatch, type MemberOptions, passOver } from './batch.ts';
import type { GroupHealth } from './health.ts';

const RUN_AGAIN_MS = 1_000;
/** How long a stop waits for a join that is under way. */
const JOIN_MS = 8_000;

export type Member = Omit<Group<string>, 'fault'> & {
  start(): Promise<void>;
  /** Does not throw: it is tried until it works. */
  startAnyTime(): void;
  holds(): boolean;
};

export function groupMember(options: MemberOptions, health: GroupHealth): Member {
  const { kafka, groupId, topics, sessionMs, log, clock } = options;
  let held: number[] = [];
  let joined = false;
  let generation = 0;
  const nowMs = () => clock.monoMs();
  let stopped = false;
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: sessionMs,
    rebalanceTimeout: sessionMs * 2,
    heartbeatInterval: Math.floor(sessionMs / 5),
    maxWaitTimeInMs: 50,
    maxBytesPerPartition: 2 * 1024 * 1024 + 65_536,
    allowAutoTopicCreation: false,
    partitionAssigners: [byNumber(() => held)],
    // Whoever starts it again has to know when that is done; so it is never kafkajs.
    retry: { retries: 1_000_000, initialRetryTime: 100, maxRetryTime: 2_000, restartOnFailure: async () => false },
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
    if (stopped) return;
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
  consumer.on(consumer.events.FETCH, () => {
    if (!stopped && joined) health.moved(nowMs());
  });
  // Where a coordinator that is loading refuses a join, kafkajs goes on as the member that it was, without any other sign.
  consumer.on(consumer.events.HEARTBEAT, () => {
    if (!stopped) joined = true;
  });
  consumer.on(consumer.events.REBALANCING, () => {
    joined = false;
  });
  // kafkajs hands over no batch whose records are all markers, or of an aborted transaction: it just reads on. The role has to
  // know that it is past them, or it would wait for the end of such a log for ever.
  const passing = new Map<string, Promise<void>>();
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    if (stopped || payload.batchSize > 0) return;
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
  let joining: Promise<void> = Promise.resolve();
  const consume = () =>
    consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 16,
      eachBatch: async (payload) => {
        const { topic, partition } = payload.batch;
        await passing.get(`${topic} ${partition}`);
        if (stopped) return;
        const mine = generation;
        const done = health.working(nowMs);
        try {
          await eachBatch(options, consumer, payload, () => mine === generation && held.includes(partition));
        } finally {
          done();
        }
      },
    });
  const run = async (): Promise<void> => {
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning: true });
    if (!stopped) {
      joining = consume();
      await joining;
    }
    // Given up meanwhile: what came to be only after that has to leave too.
    if (stopped) await consumer.disconnect();
  };
  const runAgain = (): void => {
    if (stopped) return;
    run().catch((error) => {
      log.error({ err: error, groupId }, 'the consumer cannot start again yet');
      clock.after(RUN_AGAIN_MS, runAgain);
    });
  };
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (stopped) return;
    joined = false;
    health.stopped(payload.error, nowMs());
    log.error({ err: payload.error, groupId }, 'the consumer stopped and starts again');
    clock.after(RUN_AGAIN_MS, runAgain);
  });
  return {
    start: run,
    startAnyTime: runAgain,
    joined: () => joined,
    holds: () => joined && held.length > 0,
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
      joined = false;
      generation += 1;
      // Before it has joined kafkajs cannot leave, and the broker would wait for it for minutes.
      await withinMs(
        JOIN_MS,
        joining.catch(() => undefined),
        () => undefined,
        clock,
      );
      await consumer
        .disconnect()
        .catch((error) => log.warn({ err: error, groupId }, 'did not leave the group cleanly'));
    },
  };
}
