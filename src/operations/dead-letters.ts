/**
 * Dead letters: what a record on `dead-letter` says, which ones somebody asks for, and what it becomes when it is driven to
 * its topic again. Key and value never change; of the headers those that we added are left out, and one is put in that names
 * the letter. By it a second redrive is known, however the first one ended. Pure.
 */
import type { InRecord } from '../ports.ts';
import { TOPICS, type TopicKey, topicNames } from '../topics.ts';

/** On a record that was driven to its topic again: the letter, as `partition:offset` of `dead-letter`. */
export const REDRIVEN_FROM = 'rt-redriven-from';

export type DeadLetterRecord = {
  /** `partition:offset` on `dead-letter`. */
  id: string;
  /** The full name of the topic, with the prefix; `topicKey` null: none of ours. */
  topic: string;
  topicKey: TopicKey | null;
  partition: number;
  offset: number;
  code: string;
  message: string;
  failedAtMs: number;
  /** The letter that the record came from, if it was redriven before. */
  redrivenFrom: string | null;
  record: InRecord;
};

/** null: the record is no letter (someone else has written it). */
export function deadLetterOf(record: InRecord, prefix: string): DeadLetterRecord | null {
  const header = (name: string) => textOf(record.headers[name]);
  const topic = header('rt-source-topic');
  const [partition, offset] = [Number(header('rt-source-partition')), Number(header('rt-source-offset'))];
  if (topic === '' || !Number.isSafeInteger(partition) || !Number.isSafeInteger(offset)) return null;
  const key = (Object.entries(topicNames(prefix)) as [TopicKey, string][]).find(([, name]) => name === topic)?.[0];
  return {
    id: `${record.partition}:${record.offset}`,
    topic,
    topicKey: key ?? null,
    partition,
    offset,
    code: header('rt-error-code'),
    message: header('rt-error'),
    failedAtMs: timeOf(header('rt-failed-at')) ?? record.timestampMs,
    redrivenFrom: header(REDRIVEN_FROM) || null,
    record,
  };
}

/** Unix ms, or an ISO time. */
const timeOf = (text: string): number | undefined => {
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isFinite(ms) ? ms : undefined;
};

export const textOf = (value: InRecord['headers'][string]): string =>
  Array.isArray(value) ? textOf(value.at(-1)) : value === undefined ? '' : value.toString();

/** True where the letter does not hold the whole record. */
const isTruncated = ({ headers }: InRecord): boolean => textOf(headers['rt-truncated']) === 'true';

/** What somebody asks for; what is absent does not narrow. `topic` with or without the prefix. */
export type DeadLetterFilter = { ids?: readonly string[]; topic?: string; code?: string; sinceMs?: number };

export const isWanted = (deadLetter: DeadLetterRecord, { ids, topic, code, sinceMs }: DeadLetterFilter): boolean =>
  (ids === undefined || ids.includes(deadLetter.id)) &&
  (topic === undefined ||
    deadLetter.topic === topic ||
    (deadLetter.topicKey !== null && TOPICS[deadLetter.topicKey].name === topic)) &&
  (code === undefined || deadLetter.code === code) &&
  (sinceMs === undefined || deadLetter.failedAtMs >= sinceMs);

/** From which offsets to read the letters that were appended since, by partition, so that each partition gives at most its share
 *  of `most`: the newest. `total` letters there are, of which `wanted` are read. */
export function newestFrom(
  since: ReadonlyMap<number, number>,
  ends: ReadonlyMap<number, { low: number; high: number }>,
  most: number,
): { from: Map<number, number>; total: number; wanted: number } {
  const share = Math.floor(most / Math.max(ends.size, 1));
  const from = new Map<number, number>();
  let [total, wanted] = [0, 0];
  for (const [partition, { low, high }] of ends) {
    const first = Math.min(Math.max(since.get(partition) ?? high, low), high);
    from.set(partition, Math.max(first, high - share));
    total += high - first;
    wanted += Math.min(high - first, share);
  }
  return { from, total, wanted };
}

/** Why a letter cannot be driven to its topic again; null where it can. */
export function hindrance(deadLetter: DeadLetterRecord): string | null {
  if (deadLetter.topicKey === null) return `${deadLetter.topic} is none of the topics of this installation.`;
  if (deadLetter.topicKey === 'deadLetter') return 'A record of dead-letter itself has no topic to go to.';
  if (deadLetter.code === 'record_too_large') return `The record exceeds the size limit of ${deadLetter.topic}.`;
  if (isTruncated(deadLetter.record))
    return 'The letter holds only a part of the record: the whole record was too large for dead-letter.';
  return null;
}

/** The record as it goes to its topic again. A header that came several times stays a list. */
export function redriven({ id, record }: DeadLetterRecord): {
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, Buffer | string | (Buffer | string)[]>;
} {
  const own = Object.entries(record.headers).flatMap(([name, value]) =>
    value === undefined || name.startsWith('rt-') ? [] : [[name, value] as const],
  );
  return { key: record.key, value: record.value, headers: { ...Object.fromEntries(own), [REDRIVEN_FROM]: id } };
}
