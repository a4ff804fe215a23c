/**
 * One member of a group: one consumer of kafkajs, from its first join until it is stopped. After that, its events and batches are
 * ignored.
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
  /** Does not throw: it retries until it has started. */
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
    // kafkajs does not report the end of its own restart, so this class restarts the consumer.
    retry: { retries: 1_000_000, initialRetryTime: 100, maxRetryTime: 2_000, restartOnFailure: async () => false },
  });
  const seek = (topic: string, partition: number, offset: number): void => {
    try {
      consumer.seek({ topic, partition, offset: String(offset) });
    } catch (error) {
      // kafkajs cannot seek between two joins; the next join seeks anyway.
      log.debug({ err: error, topic, partition }, 'seek refused between two joins; the next join repeats it');
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
    // A fetch starts at the committed offset. If there is no record from there on, no batch would ever ask for the wanted offset.
    const mine = generation;
    for (const topic of topics) {
      for (const partition of held) {
        const seekTo = (offset: number | null) => {
          if (offset !== null && mine === generation) seek(topic, partition, offset);
        };
        options
          .wanted(topic, partition)
          .then(seekTo, (error) =>
            log.warn(
              { err: error, topic, partition },
              'wanted offset unknown after a join; reading from the committed one',
            ),
          );
      }
    }
  });
  consumer.on(consumer.events.FETCH, () => {
    if (!stopped && joined) health.moved(nowMs());
  });
  // If a coordinator that is loading refuses a join, kafkajs continues as the same member, without any other event.
  consumer.on(consumer.events.HEARTBEAT, () => {
    if (!stopped) joined = true;
  });
  consumer.on(consumer.events.REBALANCING, () => {
    joined = false;
  });
  // kafkajs passes on no batch that holds only control records or aborted records. The role must learn that it is past them, or it
  // waits forever for the end of such a log.
  const passing = new Map<string, Promise<void>>();
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    if (stopped || payload.batchSize > 0) return;
    const { topic, partition } = payload;
    const key = `${topic} ${partition}`;
    const mine = generation;
    const work = passOver(options, payload, () => mine === generation && held.includes(partition))
      .catch((error) =>
        log.warn(
          { err: error, topic, partition },
          'batch without records not passed over; the next batch is read from the wanted offset',
        ),
      )
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
    // Stopped meanwhile: a consumer that joined only after that has to leave, too.
    if (stopped) await consumer.disconnect();
  };
  const runAgain = (): void => {
    if (stopped) return;
    run().catch((error) => {
      log.error({ err: error, groupId }, 'consumer cannot start yet; retrying in 1 s');
      clock.after(RUN_AGAIN_MS, runAgain);
    });
  };
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (stopped) return;
    joined = false;
    health.stopped(payload.error, nowMs());
    log.error({ err: payload.error, groupId }, 'consumer stopped; restarting in 1 s');
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
        // kafkajs decides by the type of an error whether to rejoin. The wrapping error has no type; its cause has.
        throw (error as { cause?: unknown }).cause ?? error;
      }
    },
    seek,
    stop: async () => {
      stopped = true;
      joined = false;
      generation += 1;
      // Before it has joined, kafkajs cannot leave the group, and the broker would wait minutes for it.
      await withinMs(
        JOIN_MS,
        joining.catch(() => undefined),
        () => undefined,
        clock,
      );
      await consumer
        .disconnect()
        .catch((error) =>
          log.warn(
            { err: error, groupId },
            'group not left cleanly; the broker drops the member after the session timeout',
          ),
        );
    },
  };
}
