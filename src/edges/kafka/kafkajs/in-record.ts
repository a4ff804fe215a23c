/** A message of kafkajs as the roles see it. */
import type { InRecord } from '../../../ports.ts';
import type { Message } from './record-batches/read.ts';

export type Fetched = Pick<Message, 'offset' | 'timestamp' | 'key' | 'value' | 'refusal'> & {
  headers?: InRecord['headers'];
};

export function inRecordOf(topic: string, partition: number, message: Fetched): InRecord {
  const { offset, timestamp, key, value, headers = {}, refusal } = message;
  const record: InRecord = {
    topic,
    partition,
    offset: Number(offset),
    key,
    value,
    timestampMs: Number(timestamp),
    headers,
  };
  if (refusal !== undefined) record.refusal = refusal;
  return record;
}
