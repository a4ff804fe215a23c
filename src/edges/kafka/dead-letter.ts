/**
 * A refused record in the form of `dead-letter`: key, value and its own headers unchanged, plus our headers. A compressed record
 * can exceed the size limit of `dead-letter`. Then the dead letter is truncated and marked: large headers of the record are omitted, a
 * large key is truncated, and the value keeps only its beginning. Pure.
 */
import type { DeadLetter, InRecord } from '../../ports.ts';
import { TOPICS } from '../../topics.ts';
import { bytesOfHeaders, type OutHeaders, type OutRecord } from './producer.ts';

/** Our headers and the framing need little. */
export const DEAD_LETTER_MAX_BYTES = TOPICS.deadLetter.maxMessageBytes - 65_536;
/** Kept of a record that is refused for its size: it cannot be redriven, and megabytes of it would delay the records behind it. */
export const TOO_LARGE_KEPT_BYTES = 65_536;
/** The size of a dead letter without key, value and own headers. */
const DEAD_LETTER_MIN_BYTES = 1_024;

const ERROR_MAX = 1_000;
/** The maximum share of a dead letter for its key, and for the record's own headers. */
const SHARE = 1 / 4;

/** Headers of the record that have the names of our headers are omitted: they are not trustworthy. */
export function deadLetterRecord(
  { record, code, message }: DeadLetter,
  nowMs: number,
  maxBytes: number = DEAD_LETTER_MAX_BYTES,
): OutRecord {
  const part = Math.floor(maxBytes * SHARE);
  const own = ownHeaders(record);
  const headers = bytesOfHeaders(own) <= part ? own : {};
  const key = record.key?.subarray(0, part) ?? null;
  const value = record.value?.subarray(0, maxBytes - bytesOfHeaders(headers) - (key?.length ?? 0)) ?? null;
  const isWhole = headers === own && key?.length === record.key?.length && value?.length === record.value?.length;
  // A dead letter for an unread batch is not truncated, but its value is not a record of the topic.
  const isCut = !isWhole || record.refusal !== undefined;
  return {
    key,
    value,
    headers: {
      ...headers,
      'rt-source-topic': record.topic,
      'rt-source-partition': String(record.partition),
      'rt-source-offset': String(record.offset),
      'rt-error-code': code,
      'rt-error': message.slice(0, Math.min(ERROR_MAX, part)),
      'rt-failed-at': String(nowMs),
      ...(isCut ? { 'rt-original-size': String(record.value?.length ?? 0), 'rt-truncated': 'true' } : {}),
    },
  };
}

/** The maximum size of the dead letter for the first try. */
export const firstMaxBytes = ({ code }: DeadLetter): number =>
  code === 'record_too_large' ? TOO_LARGE_KEPT_BYTES : DEAD_LETTER_MAX_BYTES;

/** The maximum size of the dead letter for the next try, after `maxBytes` was refused as too large; null: no further try. */
export const smallerMaxBytes = (maxBytes: number): number | null =>
  maxBytes <= DEAD_LETTER_MIN_BYTES ? null : Math.max(Math.floor(maxBytes / 4), DEAD_LETTER_MIN_BYTES);

const OURS: ReadonlySet<string> = new Set([
  'rt-source-topic',
  'rt-source-partition',
  'rt-source-offset',
  'rt-error-code',
  'rt-error',
  'rt-failed-at',
  'rt-original-size',
  'rt-truncated',
]);

const ownHeaders = ({ headers }: InRecord): OutHeaders =>
  Object.fromEntries(
    Object.entries(headers).filter(
      (entry): entry is [string, OutHeaders[string]] => entry[1] !== undefined && !OURS.has(entry[0]),
    ),
  );
