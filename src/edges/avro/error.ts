/** What the codec throws. Its codes are in the project's error table, so a consumer can write them to a dead letter unchanged.
 *  - record_undecodable: the bytes are not such a record (header, lengths, values or trailing bytes are wrong).
 *  - schema_unknown: a well-formed header names a schema that this process can't know.
 *  - record_invalid: a value to be written does not fit its schema; the message names the field.
 *  - schema_incompatible: the registry refuses a schema of ours.
 *  - unavailable: the registry can't answer now; the only code where trying again helps. */
export type CodecErrorCode =
  | 'record_undecodable'
  | 'schema_unknown'
  | 'record_invalid'
  | 'schema_incompatible'
  | 'unavailable';

export class CodecError extends Error {
  readonly code: CodecErrorCode;

  constructor(code: CodecErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'CodecError';
    this.code = code;
  }

  /** True if the record may be valid and only the schema registry was away: such a record is no dead letter. */
  get retriable(): boolean {
    return this.code === 'unavailable';
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
