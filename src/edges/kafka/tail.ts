/**
 * Follows a whole topic from its beginning or its end, outside any shared group: every process gets every record.
 * `caughtUp` resolves once every record that was on the topic at the call has been passed on. After a long outage, or an error in
 * `onRecords`, kafkajs stops its consumer. Then a new consumer continues at the same position, until `stop`.
 */
import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { persist, retryDelayMs, systemClock } from '../../async/clock.ts';
import type { InRecord } from '../../ports.ts';
import { whileLeadersSettle } from './kafkajs/leaders.ts';
import { Positions, type TailConsumer, tailConsumer } from './kafkajs/tail-consumer.ts';

export type Tail = {
  /** Next offset by partition: every record before it has been passed on. */
  positions(): ReadonlyMap<number, number>;
  /** Resolves once every record before these next offsets has been passed on. */
  reached(goal: ReadonlyMap<number, number>): Promise<void>;
  caughtUp(): Promise<void>;
  stop(): Promise<void>;
};

export type TailOptions = {
  kafka: Kafka;
  topic: string;
  /** Or next offsets by partition. Other partitions are read from their end. */
  from: 'beginning' | 'end' | ReadonlyMap<number, number>;
  /** May be asynchronous; the next records of the partition wait for it. If it throws, it gets the same records again. */
  onRecords(records: InRecord[]): void | Promise<void>;
  log: Logger;
  /** How long the broker may collect records before it answers. Milliseconds. */
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
    // A caller that tries again while Kafka is away must not leave a connection open each time.
    await stop().catch((err) =>
      log.debug({ err, topic }, 'tail not closed cleanly; the broker drops its group member after the session timeout'),
    );
    throw error;
  }
}

function startOf(
  from: TailOptions['from'],
  ends: readonly { partition: number; low: string; high: string }[],
): Map<number, number> {
  const positionOf = ({ partition, low, high }: (typeof ends)[number]): number => {
    if (from === 'beginning') return Number(low);
    return from === 'end' ? Number(high) : Math.max(from.get(partition) ?? Number(high), Number(low));
  };
  return new Map(ends.map((end) => [end.partition, positionOf(end)]));
}

/** One consumer after the other. `answers` shows that Kafka is back: a consumer would try to connect forever. */
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
    await consumer
      ?.stop()
      .catch((error) =>
        log.debug(
          { err: error, topic },
          'tail not closed cleanly; the broker drops its group member after the session timeout',
        ),
      );
  };
  const begin = async (): Promise<void> => {
    consumer = tailConsumer({ kafka, topic, maxWaitMs, positions, onRecords: handOver, onCrash: beginAgain });
    await consumer.start();
    if (stopped) await leave();
  };
  const beginAgain = (error: Error): void => {
    if (stopped) return;
    crashes += 1;
    log.warn({ err: error, topic }, 'tail consumer stopped; a new one continues at the same position');
    const again = async (): Promise<void> => {
      await answers();
      await leave();
      if (!stopped) await begin();
    };
    const onError = (err: unknown) => log.warn({ err, topic }, 'tail consumer cannot start yet; retrying');
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
