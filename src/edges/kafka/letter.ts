/**
 * A refused record as it stands on `dead-letter`: key, value and its own headers untouched, and ours beside them. A packed record
 * can hold more than `dead-letter` takes. Then it is cut, and says so: large headers of its own are left out, a large key is cut,
 * and of the value stays what fits. Pure.
 */
import type { DeadLetter, InRecord } from '../../outbox.ts';
import { TOPICS } from '../../topics.ts';
import { bytesOfHeaders, type OutHeaders, type OutRecord } from './producer.ts';

/** Our headers and the framing need little. */
export const LETTER_MAX_BYTES = TOPICS.deadLetter.maxMessageBytes - 65_536;
/** Of what is refused for its size: nobody redrives it, and megabytes of it would hold up the records behind it. */
export const TOO_LARGE_KEPT_BYTES = 65_536;
/** A letter without key, value and own headers. */
const LETTER_MIN_BYTES = 1_024;

const ERROR_MAX = 1_000;
/** How much of a letter its key may be, and its own headers. */
const SHARE = 1 / 4;

/** What the record's own headers say in the names of ours is left out: it is not believed. */
export function letterRecord(
  { record, code, message }: DeadLetter,
  nowMs: number,
  maxBytes: number = LETTER_MAX_BYTES,
): OutRecord {
  const part = Math.floor(maxBytes * SHARE);
  const own = ownHeaders(record);
  const headers = bytesOfHeaders(own) <= part ? own : {};
  const key = record.key?.subarray(0, part) ?? null;
  const value = record.value?.subarray(0, maxBytes - bytesOfHeaders(headers) - (key?.length ?? 0)) ?? null;
  const isWhole = headers === own && key?.length === record.key?.length && value?.length === record.value?.length;
  // What stands for a batch that was not read is whole, but no record of the topic.
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

/** How large the letter may be at the first try. */
export const firstMaxBytes = ({ code }: DeadLetter): number =>
  code === 'record_too_large' ? TOO_LARGE_KEPT_BYTES : LETTER_MAX_BYTES;

/** How large the letter may be at the next try, after one with `maxBytes` was refused for its size; null: it was the last. */
export const smaller = (maxBytes: number): number | null =>
  maxBytes <= LETTER_MIN_BYTES ? null : Math.max(Math.floor(maxBytes / 4), LETTER_MIN_BYTES);

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
