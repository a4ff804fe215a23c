/**
 * The progress of this process on each partition that its groups hold, and thus the number of records not yet handled. It compares
 * positions with the end of the log, since a partition that makes no progress delivers no batch. If several groups read a
 * partition, the largest lag counts.
 */
import type { Logger } from 'pino';
import type { Clock } from '../../async/clock.ts';
import type { Metrics } from '../../ports.ts';
import type { TopicKey } from '../../topics.ts';
import type { Offsets } from './admin.ts';

const LOOK_MS = 2_000;

type Held = { groupId: string; topic: TopicKey; partition: number; next: number | null };

export class Progress {
  readonly #held = new Map<string, Held>();

  /** The partitions of the group from now on. */
  assign(groupId: string, topics: readonly TopicKey[], partitions: readonly number[]): void {
    this.leave(groupId);
    for (const topic of topics)
      for (const partition of partitions)
        this.#held.set(`${groupId} ${topic} ${partition}`, { groupId, topic, partition, next: null });
  }

  leave(groupId: string): void {
    for (const [key, held] of this.#held) if (held.groupId === groupId) this.#held.delete(key);
  }

  /** Sets the next offset of the group there. It may be lower than before. */
  at(groupId: string, topic: TopicKey, partition: number, next: number): void {
    const held = this.#held.get(`${groupId} ${topic} ${partition}`);
    if (held) held.next = next;
  }

  held(): Held[] {
    return [...this.#held.values()];
  }
}

/** The lag by topic and partition: the largest of several groups. `starts`: the first offset of a group that has read nothing. */
export function lagsOf(
  held: readonly Held[],
  ends: ReadonlyMap<TopicKey, ReadonlyMap<number, { low: number; high: number }>>,
  starts: (held: Held) => number | undefined,
): Map<string, { topic: TopicKey; partition: number; records: number }> {
  const lags = new Map<string, { topic: TopicKey; partition: number; records: number }>();
  for (const one of held) {
    const { topic, partition } = one;
    const end = ends.get(topic)?.get(partition);
    if (!end) continue;
    const next = Math.max(one.next ?? starts(one) ?? 0, end.low);
    const key = `${topic} ${partition}`;
    const records = Math.max(end.high - next, lags.get(key)?.records ?? 0, 0);
    lags.set(key, { topic, partition, records });
  }
  return lags;
}

/** Calls `report` every two seconds. While Kafka does not answer, the last report stays valid. */
export function reportLag(options: {
  progress: Progress;
  offsets: Pick<Offsets, 'ends' | 'committed'>;
  names: Readonly<Record<TopicKey, string>>;
  report: Metrics['lag'];
  clock: Clock;
  log: Logger;
}): { stop(): Promise<void> } {
  const { progress, offsets, names, report, clock, log } = options;
  let reported = new Map<string, { topic: TopicKey; partition: number }>();
  const look = async (): Promise<void> => {
    const held = progress.held();
    const topics = [...new Set(held.map(({ topic }) => topic))];
    const ends = new Map(
      await Promise.all(topics.map(async (topic) => [topic, await offsets.ends(names[topic])] as const)),
    );
    const unread = new Map<string, Map<number, number>>();
    for (const { groupId, topic, next } of held) {
      const key = `${groupId} ${topic}`;
      if (next === null && !unread.has(key)) unread.set(key, await offsets.committed(groupId, names[topic]));
    }
    const lags = lagsOf(held, ends, ({ groupId, topic, partition }) =>
      unread.get(`${groupId} ${topic}`)?.get(partition),
    );
    for (const [key, { topic, partition }] of reported) if (!lags.has(key)) report(topic, partition, null);
    for (const { topic, partition, records } of lags.values()) report(topic, partition, records);
    reported = lags;
  };
  return clock.every(LOOK_MS, () =>
    look().catch((error) =>
      log.debug({ err: error }, 'lag not read from Kafka; the last values stay until the next look'),
    ),
  );
}
