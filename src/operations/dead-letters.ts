/**
 * Dead letters: reads records of `dead-letter`, filters them, and makes the record to redrive. Key and value never change. The
 * headers that were added to the dead letter are removed, and a header with its id is added. This header shows that a dead letter
 * was redriven before. Pure.
 */
import type { InRecord } from '../ports.ts';
import { TOPICS, type TopicKey, topicNames } from '../topics.ts';

/** Header of a redriven record: the id of the dead letter, `partition:offset` on `dead-letter`. */
export const REDRIVEN_FROM = 'rt-redriven-from';

export type DeadLetterRecord = {
  /** `partition:offset` on `dead-letter`. */
  id: string;
  /** The full name of the topic, with the prefix. `topicKey` is null if it is not a topic of this installation. */
  topic: string;
  topicKey: TopicKey | null;
  partition: number;
  offset: number;
  code: string;
  message: string;
  failedAtMs: number;
  /** The id of the earlier dead letter, if the record was redriven before. */
  redrivenFrom: string | null;
  record: InRecord;
};

/** null if the record is not a dead letter of this system. */
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

/** True if the dead letter has only a part of the record. */
const isTruncated = ({ headers }: InRecord): boolean => textOf(headers['rt-truncated']) === 'true';

/** A filter; absent fields match everything. `topic` is with or without the prefix. */
export type DeadLetterFilter = { ids?: readonly string[]; topic?: string; code?: string; sinceMs?: number };

export const isWanted = (deadLetter: DeadLetterRecord, { ids, topic, code, sinceMs }: DeadLetterFilter): boolean =>
  (ids === undefined || ids.includes(deadLetter.id)) &&
  (topic === undefined ||
    deadLetter.topic === topic ||
    (deadLetter.topicKey !== null && TOPICS[deadLetter.topicKey].name === topic)) &&
  (code === undefined || deadLetter.code === code) &&
  (sinceMs === undefined || deadLetter.failedAtMs >= sinceMs);

/** The offsets to read recent dead letters from, by partition: at most an equal share of `most` per partition, the newest. `total`
 *  is the number of recent dead letters, `wanted` the number that is read. */
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

/** Why a dead letter cannot be redriven; null if it can. */
export function hindrance(deadLetter: DeadLetterRecord): string | null {
  if (deadLetter.topicKey === null) return `${deadLetter.topic} is not a topic of this installation.`;
  if (deadLetter.topicKey === 'deadLetter') return 'A record of dead-letter itself has no source topic.';
  if (deadLetter.code === 'record_too_large') return `The record exceeds the size limit of ${deadLetter.topic}.`;
  if (isTruncated(deadLetter.record))
    return 'The dead letter contains only a part of the record: the whole record was too large for dead-letter.';
  return null;
}

/** The record to redrive. A repeated header stays a list. */
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
