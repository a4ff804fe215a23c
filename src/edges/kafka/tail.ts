/**
 * Follows a whole topic from its beginning or its end, outside any shared group: every process sees every record.
 * `caughtUp` resolves once everything that stood on the topic when it was called has been handed over. When kafkajs gives its
 * consumer up, after a long outage or for an error in `onRecords`, another one goes on where it was, until `stop`.
 */
import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { persist, retryDelayMs, systemClock } from '../../async/clock.ts';
import type { InRecord } from '../../ports.ts';
import { whileLeadersSettle } from './kafkajs/leaders.ts';
import { Positions, type TailConsumer, tailConsumer } from './kafkajs/tail-consumer.ts';

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
  /** May be asynchronous; the next records of the partition wait for it. Where it throws, they are handed over again. */
  onRecords(records: InRecord[]): void | Promise<void>;
  log: Logger;
  /** How long the broker may gather records before it answers. Milliseconds. */
  maxWaitMs?: number;
};

export async function startTail(options: TailOptions): Promise<Tail> {
  const { kafka, topic, log } = options;
  const admin = kafka.admin();
  const ends = () => whileLeadersSettle(() => admin.fetchTopicOffsets(topic));
  let lives: ReturnType<typeof livesOf> | undefined;
  const stop = async (): Promise<void> => {
    await lives?.stop();
    await admin.disconnect();
  };
  try {
    await admin.connect();
    const positions = new Positions(startOf(options.from, await ends()));
    lives = livesOf(options, positions, ends);
    await lives.begin();
    return {
      positions: () => positions.next,
      reached: (goal) => positions.reached(goal),
      caughtUp: async () => {
        const filled = (await ends()).filter(({ low, high }) => Number(high) > Number(low));
        await positions.reached(new Map(filled.map(({ partition, high }) => [partition, Number(high)])));
      },
      stop,
    };
  } catch (error) {
    // Whoever asks again, for as long as Kafka is away, must not leave a connection behind each time.
    await stop().catch((err) => log.debug({ err, topic }, 'a tail did not leave cleanly'));
    throw error;
  }
}

function startOf(
  from: TailOptions['from'],
  ends: readonly { partition: number; low: string; high: string }[],
): Map<number, number> {
  const placeOf = ({ partition, low, high }: (typeof ends)[number]): number => {
    if (from === 'beginning') return Number(low);
    return from === 'end' ? Number(high) : Math.max(from.get(partition) ?? Number(high), Number(low));
  };
  return new Map(ends.map((end) => [end.partition, placeOf(end)]));
}

/** One consumer after the other. `answers`: what shows that Kafka is back, for a consumer would try to connect without end. */
function livesOf(
  { kafka, topic, onRecords, log, maxWaitMs = 100 }: TailOptions,
  positions: Positions,
  answers: () => Promise<unknown>,
): { begin(): Promise<void>; stop(): Promise<void> } {
  let stopped = false;
  let crashes = 0;
  let consumer: TailConsumer | undefined;
  const handOver = async (records: InRecord[]): Promise<void> => {
    await onRecords(records);
    crashes = 0;
  };
  const leave = async (): Promise<void> => {
    await consumer?.stop().catch((error) => log.debug({ err: error, topic }, 'a tail did not leave cleanly'));
  };
  const begin = async (): Promise<void> => {
    consumer = tailConsumer({ kafka, topic, maxWaitMs, positions, onRecords: handOver, onCrash: beginAgain });
    await consumer.start();
    if (stopped) await leave();
  };
  const beginAgain = (error: Error): void => {
    if (stopped) return;
    crashes += 1;
    log.warn({ err: error, topic }, 'a tail lost its consumer; another one goes on');
    const again = async (): Promise<void> => {
      await answers();
      await leave();
      if (!stopped) await begin();
    };
    const onError = (err: unknown) => log.warn({ err, topic }, 'a tail cannot go on yet');
    systemClock.after(retryDelayMs(crashes, systemClock.random()), () => {
      void persist(systemClock, () => !stopped, again, onError);
    });
  };
  return {
    begin,
    stop: async () => {
      stopped = true;
      await leave();
    },
  };
}
