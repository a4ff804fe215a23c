/**
 * Reads the record batches (version 2, compressed or not) that a fetch returns for one partition. The reader of kafkajs trusts the
 * sizes and counts in a batch: it unpacks a decompression bomb, copies all headers of a record for each of its headers, and fails
 * above about 100,000 records. Any of these blocks a partition forever. So this reader replaces it (install.ts).
 *
 * Guarantees, for any batch that a broker accepts: work and memory are in proportion to LIMITS. A batch that exceeds them, or is
 * corrupt, becomes one message with a `refusal` at the last offset of the batch. Reading continues behind it.
 */
import type { Refusal } from '../../../../ports.ts';
import { TooLarge } from './too-large.ts';
import { compressionName, unpack } from './unpack.ts';

export type Limits = {
  /** Of one batch, unpacked. Producers make batches of 1 MiB, and the largest topic takes 4 MiB. */
  batchBytes: number;
  batchRecords: number;
  /** Of one record. A record with more is refused alone. */
  headers: number;
  /** Data of a fetch above these limits is left for the next fetch. At least one batch is always read. */
  fetchBytes: number;
  fetchRecords: number;
};

const MIB = 1024 * 1024;

export const LIMITS: Limits = {
  batchBytes: 16 * MIB,
  batchRecords: 100_000,
  headers: 1_000,
  fetchBytes: 16 * MIB,
  fetchRecords: 50_000,
};

export type Headers = Record<string, Buffer | Buffer[]>;

/** As kafkajs passes it on. `value` of a refused batch: the batch as it is on the log. */
export type Message = {
  magicByte: 2;
  attributes: number;
  offset: string;
  timestamp: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: Headers;
  isControlRecord: boolean;
  batchContext: Context;
  refusal?: Refusal;
};

type Context = {
  firstOffset: string;
  lastOffset: number;
  producerId: string;
  inTransaction: boolean;
  isControlBatch: boolean;
  firstTimestamp: number;
  maxTimestamp: number;
  isAppendTime: boolean;
  compression: number;
  count: number;
};

// A batch is: first offset, length of what follows, …; https://kafka.apache.org/documentation/#recordbatch
const LENGTH_AT = 8;
const LENGTH_END = 12;
const MAGIC_AT = 16;
const RECORDS_AT = 61;

/** True if this reader knows the format. Other formats come from brokers before 0.11. */
export const isReadable = (set: Buffer): boolean => set.length <= MAGIC_AT || set.readInt8(MAGIC_AT) === 2;

/** In order. A truncated batch at the end of the fetch is omitted. */
export async function readRecordSet(set: Buffer, limits: Limits = LIMITS): Promise<Message[]> {
  const messages: Message[] = [];
  let bytes = 0;
  for (let at = 0; at + RECORDS_AT <= set.length; ) {
    const end = at + LENGTH_END + set.readInt32BE(at + LENGTH_AT);
    if (end > set.length) break;
    if (end < at + RECORDS_AT) throw new Error('a record batch is shorter than its header');
    bytes += await readBatch(set.subarray(at, end), messages, limits);
    if (bytes >= limits.fetchBytes || messages.length >= limits.fetchRecords) break;
    at = end;
  }
  return messages;
}

/** Adds the messages of the batch, and returns their bytes. */
async function readBatch(batch: Buffer, messages: Message[], limits: Limits): Promise<number> {
  const context = contextOf(batch);
  const before = messages.length;
  const refuse = (code: Refusal['code'], why: string): number => {
    messages.length = before;
    messages.push(refusedBatch(batch, context, code, why));
    return batch.length;
  };
  if (context.count > limits.batchRecords)
    return refuse('record_too_large', `holds more than ${limits.batchRecords} records`);
  try {
    const records = await unpack(context.compression, batch.subarray(RECORDS_AT), limits.batchBytes);
    const cursor = { bytes: records, at: 0 };
    for (let i = 0; i < context.count; i += 1) messages.push(readRecord(cursor, context, limits));
    return records.length;
  } catch (error) {
    if (error instanceof TooLarge) return refuse('record_too_large', `unpacks to more than ${limits.batchBytes} bytes`);
    return refuse('record_undecodable', `cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

function contextOf(batch: Buffer): Context {
  const attributes = batch.readInt16BE(21);
  const first = batch.readBigInt64BE(0);
  return {
    firstOffset: String(first),
    lastOffset: Number(first) + batch.readInt32BE(23),
    producerId: String(batch.readBigInt64BE(43)),
    inTransaction: (attributes & 0x10) > 0,
    isControlBatch: (attributes & 0x20) > 0,
    firstTimestamp: Number(batch.readBigInt64BE(27)),
    maxTimestamp: Number(batch.readBigInt64BE(35)),
    isAppendTime: (attributes & 0x8) > 0,
    compression: attributes & 7,
    count: batch.readInt32BE(57),
  };
}

function refusedBatch(batch: Buffer, context: Context, code: Refusal['code'], why: string): Message {
  const { firstOffset, lastOffset, compression, maxTimestamp } = context;
  const what = `The ${compressionName(compression)} batch with the offsets ${firstOffset} to ${lastOffset}`;
  return {
    ...messageOf(context, String(lastOffset), String(maxTimestamp)),
    value: batch,
    refusal: { code, message: `${what} ${why}. None of its records is read.` },
  };
}

const messageOf = (batchContext: Context, offset: string, timestamp: string): Message => ({
  magicByte: 2,
  attributes: 0,
  offset,
  timestamp,
  key: null,
  value: null,
  headers: {},
  isControlRecord: batchContext.isControlBatch,
  batchContext,
});

type Cursor = { bytes: Buffer; at: number };

function readRecord(cursor: Cursor, context: Context, limits: Limits): Message {
  const length = varint(cursor);
  const end = cursor.at + length;
  if (length < 0 || end > cursor.bytes.length) throw new RangeError('a record is cut off');
  cursor.at += 1; // attributes, of which there are none
  const timestampDelta = varint(cursor);
  const offset = Number(context.firstOffset) + varint(cursor);
  const timestamp = context.isAppendTime ? context.maxTimestamp : context.firstTimestamp + timestampDelta;
  const message = messageOf(context, String(offset), String(timestamp));
  message.key = bytesAt(cursor, end);
  message.value = bytesAt(cursor, end);
  const count = varint(cursor);
  if (count > limits.headers) {
    message.refusal = { code: 'record_too_large', message: `The record has more than ${limits.headers} headers.` };
  } else {
    for (let i = 0; i < count; i += 1) addHeader(message.headers, cursor, end);
  }
  cursor.at = end;
  return message;
}

/** A header that occurs several times is a list. */
function addHeader(headers: Headers, cursor: Cursor, end: number): void {
  const name = String(bytesAt(cursor, end) ?? '');
  const value = bytesAt(cursor, end) as Buffer;
  const before = Object.hasOwn(headers, name) ? headers[name] : undefined;
  if (Array.isArray(before)) before.push(value);
  else {
    const given = before === undefined ? value : [before, value];
    Object.defineProperty(headers, name, { value: given, enumerable: true, writable: true, configurable: true });
  }
}

/** A length, then so many bytes; null: the length is -1. */
function bytesAt(cursor: Cursor, end: number): Buffer | null {
  const length = varint(cursor);
  if (length < 0) return null;
  const from = cursor.at;
  if (from + length > end) throw new RangeError('a field is longer than its record');
  cursor.at = from + length;
  return cursor.bytes.subarray(from, cursor.at);
}

/** A zig-zag number of at most ten bytes; exact up to 2^52. */
function varint(cursor: Cursor): number {
  const { bytes } = cursor;
  let byte = bytes[cursor.at];
  cursor.at += 1;
  if (byte !== undefined && byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
  let value = 0;
  for (let scale = 1, n = 0; n < 10 && byte !== undefined; n += 1, scale *= 128) {
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    byte = bytes[cursor.at];
    cursor.at += 1;
  }
  throw new RangeError('a number is cut off, or longer than ten bytes');
}
