/**
 * Writes records with acks from all replicas. Requests are cut by bytes, because the broker refuses a request with more than 1 MB
 * for one partition and kafkajs does not split.
 *
 * No producer is idempotent in Kafka's sense (docs/decisions/0001): a repeated record has the same id. `durable` retries for
 * seconds. `quick` retries only as long as a person waits: a client of the API can ask again. `once` never retries: a dispatch that
 * failed is checked again before the next try.
 *
 * A record that the broker refuses permanently, usually because of its size, is not sent again. The rest of its request is sent
 * without it.
 */
import { CompressionTypes, type Kafka, type Producer as KafkaProducer } from 'kafkajs';
import { ApiError, unavailable } from '../../errors.ts';
import type { LogOffset } from '../../model/records.ts';
import { isBeingFenced, isFenced, isRefusedRecord } from './kafkajs/errors.ts';
import { byKey } from './kafkajs/partitioner.ts';

export type OutHeaders = Record<string, string | Buffer | (string | Buffer)[]>;

export type OutRecord = {
  key: string | Buffer | null;
  value: Buffer | null;
  headers?: OutHeaders;
  partition?: number;
};

export type Producer = {
  /** Resolves when all are on the log; rejects with `unavailable` or `record_too_large`. */
  send(topic: string, records: OutRecord[]): Promise<void>;
  /** Resolves when the records are on the log, with those that the broker refuses permanently. Rejects with `unavailable`. */
  sendWhatFits(topic: string, records: OutRecord[]): Promise<OutRecord[]>;
  /** As `send`, but one request for each record, all at the same time. Resolves with the position of each. */
  append(topic: string, records: OutRecord[]): Promise<LogOffset[]>;
  stop(): Promise<void>;
};

const REQUEST_MAX_BYTES = 900_000;
const RECORD_OVERHEAD_BYTES = 64;
const HEADER_OVERHEAD_BYTES = 8;

/** When a transaction of a dead producer is aborted. Until then no consumer reads past its records. */
const SOLE_TIMEOUT_MS = 15_000;

const KINDS = {
  durable: { retry: { retries: 8, initialRetryTime: 100, maxRetryTime: 2_000 }, timeoutMs: 10_000 },
  once: { retry: { retries: 0 }, timeoutMs: 3_000 },
  quick: { retry: { retries: 3, initialRetryTime: 50, maxRetryTime: 150 }, timeoutMs: 3_000 },
};

export async function createProducer(kafka: Kafka, kind: keyof typeof KINDS): Promise<Producer> {
  const { retry, timeoutMs } = KINDS[kind];
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: byKey,
    retry,
  });
  await producer.connect();
  return {
    send: async (topic, records) => {
      for (const part of cutByBytes(records, REQUEST_MAX_BYTES)) await sendPart(producer, topic, part, timeoutMs);
    },
    sendWhatFits: async (topic, records) => {
      const refused: OutRecord[] = [];
      for (const part of cutByBytes(records, REQUEST_MAX_BYTES))
        refused.push(...(await sendWithoutRefused((some) => sendPart(producer, topic, some, timeoutMs), part)));
      return refused;
    },
    append: (topic, records) =>
      Promise.all(
        records.map(async (record) => (await sendPart(producer, topic, [record], timeoutMs))[0] as LogOffset),
      ),
    stop: () => producer.disconnect(),
  };
}

/** Another producer has opened the same name since. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken';
}

/** A producer of which there is one at a time, in all processes: opening it fences off the earlier holder of the name. */
export type SoleProducer = {
  /** All of it or nothing. Rejects with Overtaken, or `unavailable`. */
  send(records: ReadonlyMap<string, OutRecord[]>): Promise<void>;
  stop(): Promise<void>;
};

export async function openSoleProducer(kafka: Kafka, name: string): Promise<SoleProducer> {
  const producer = kafka.producer({
    transactionalId: name,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: byKey,
    transactionTimeout: SOLE_TIMEOUT_MS,
    retry: KINDS.durable.retry,
  });
  await producer.connect();
  // The first transaction tells the broker about the new holder, and aborts what the old one has not committed.
  await (await producer.transaction()).abort();
  return {
    send: async (records) => {
      const transaction = await producer.transaction();
      try {
        for (const [topic, mine] of records)
          for (const part of cutByBytes(mine, REQUEST_MAX_BYTES))
            await sendPart(transaction, topic, part, KINDS.durable.timeoutMs);
        await transaction.commit().catch(fenceOf);
      } catch (error) {
        await transaction.abort().catch(() => undefined);
        throw isFenced(error) ? new Overtaken('Another writer has taken over.', { cause: error }) : error;
      }
    },
    stop: () => producer.disconnect(),
  };
}

function fenceOf(error: Error): never {
  throw isBeingFenced(error) ? new Overtaken('Another writer is taking over.', { cause: error }) : error;
}

/** Splits a refused request in halves until each refused record is alone. Returns the refused records. */
export async function sendWithoutRefused(
  send: (part: OutRecord[]) => Promise<unknown>,
  part: OutRecord[],
): Promise<OutRecord[]> {
  try {
    await send(part);
    return [];
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'record_too_large') throw error;
    if (part.length === 1) return part;
    const half = Math.floor(part.length / 2);
    const first = await sendWithoutRefused(send, part.slice(0, half));
    return [...first, ...(await sendWithoutRefused(send, part.slice(half)))];
  }
}

async function sendPart(
  producer: Pick<KafkaProducer, 'send'>,
  topic: string,
  records: OutRecord[],
  timeoutMs: number,
): Promise<LogOffset[]> {
  try {
    const answers = await producer.send({
      topic,
      acks: -1,
      timeout: timeoutMs,
      compression: CompressionTypes.None,
      messages: records as { key: string | Buffer | null; value: Buffer | null }[],
    });
    return answers.map(({ partition, baseOffset }) => ({ partition, offset: Number(baseOffset) }));
  } catch (cause) {
    if (isRefusedRecord(cause))
      throw new ApiError('record_too_large', `A record exceeds the size limit of ${topic}.`, { cause });
    throw unavailable(`Kafka did not take records for ${topic}.`, cause);
  }
}

/** Headers count: those of a dead letter are often larger than its record. */
const sizeOf = ({ key, value, headers = {} }: OutRecord): number =>
  RECORD_OVERHEAD_BYTES + (value?.length ?? 0) + (key === null ? 0 : Buffer.byteLength(key)) + bytesOfHeaders(headers);

export const bytesOfHeaders = (headers: OutHeaders): number =>
  Object.entries(headers).reduce(
    (sum, [name, value]) => sum + HEADER_OVERHEAD_BYTES + Buffer.byteLength(name) + bytesOf(value),
    0,
  );

/** A header that occurs several times is a list. */
const bytesOf = (text: OutHeaders[string]): number =>
  Array.isArray(text) ? text.reduce((sum, one) => sum + bytesOf(one), 0) : Buffer.byteLength(text);

/** Consecutive parts of at most `maxBytes` each; a larger record is a part by itself. Order is kept. */
export function* cutByBytes(records: readonly OutRecord[], maxBytes: number): Generator<OutRecord[]> {
  let part: OutRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const size = sizeOf(record);
    if (part.length > 0 && bytes + size > maxBytes) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(record);
    bytes += size;
  }
  if (part.length > 0) yield part;
}
