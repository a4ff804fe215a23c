/** Encodes a record behind its header. Guarantees: the bytes are the caller's own, and a value that does not fit its schema
 *  throws before anything is returned. */
import type { Type } from 'avsc';
import type { RecordName } from '../../model/records.ts';
import { CodecError, messageOf } from './error.ts';

const SCRATCH_BYTES = 64 * 1024;
const SCRATCH_KEPT_BYTES = 4 * 1024 * 1024;

export type Writer = (name: RecordName, type: Type, header: Buffer, value: unknown) => Buffer;

/** Encodes into one scratch buffer and copies out what was written, so that a record costs one allocation of its size. */
export function createWriter(): Writer {
  let scratch = Buffer.allocUnsafe(SCRATCH_BYTES);
  return (name, type, header, value) => {
    let end: number;
    try {
      end = type.encode(value, scratch, header.length);
      if (end < 0) {
        // Negative: by so many bytes the scratch was too short.
        scratch = Buffer.allocUnsafe(scratch.length - end);
        end = type.encode(value, scratch, header.length);
      }
    } catch (error) {
      throw new CodecError('record_invalid', whatIsInvalid(name, type, value) ?? `${name}: ${messageOf(error)}`, error);
    }
    header.copy(scratch);
    const bytes = Buffer.from(scratch.subarray(0, end));
    if (scratch.length > SCRATCH_KEPT_BYTES) scratch = Buffer.allocUnsafe(SCRATCH_BYTES);
    return bytes;
  };
}

/** Names the first field that does not fit, never its content: a value can be a secret. */
function whatIsInvalid(name: RecordName, type: Type, value: unknown): string | undefined {
  let sentence: string | undefined;
  type.isValid(value, {
    errorHook(path: string[], found: unknown, wanted: Type) {
      const field = [name, ...path].join('.');
      const what = found === undefined ? 'is missing' : `is ${found === null ? 'null' : `of type ${typeof found}`}`;
      sentence ??= `${field} ${what}; it takes ${JSON.stringify(wanted.schema({ noDeref: true }))}`;
    },
  });
  return sentence;
}
