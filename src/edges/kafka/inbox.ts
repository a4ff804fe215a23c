/** Bytes to records, many at once: what can't be decoded comes back as a refusal, never as a throw. */
import { ERROR_CODES, type ErrorCode } from '../../errors.ts';
import type { RecordName, RecordTypes } from '../../model/records.ts';
import type { InRecord } from '../../outbox.ts';
import type { Codec } from '../avro/codec.ts';
import { CodecError } from '../avro/error.ts';

export type Decoded<T> =
  | { record: InRecord; value: T }
  | { record: InRecord; refusal: { code: ErrorCode; message: string } };

/** In order. Rejects only when the registry can't answer: then the records may be fine, and the batch has to wait. */
export async function decodeAll<N extends RecordName>(
  codec: Codec,
  name: N,
  records: InRecord[],
): Promise<Decoded<RecordTypes[N]>[]> {
  await codec.resolve(records.map(({ value }) => value));
  return records.map((record) => {
    try {
      if (record.value === null) return refuse(record, 'record_undecodable', 'The record has no value.');
      return { record, value: codec.decode(name, record.value) };
    } catch (error) {
      if (!(error instanceof CodecError) || !(error.code in ERROR_CODES) || error.code === 'unavailable') throw error;
      return refuse(record, error.code as ErrorCode, error.message);
    }
  });
}

const refuse = (record: InRecord, code: ErrorCode, message: string) => ({ record, refusal: { code, message } });
