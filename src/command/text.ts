/** Texts that Kafka, Redis and the sensors would not give back as they were sent are refused while the caller is there. */
import { ApiError } from '../errors.ts';

/** Throws `data_invalid` for NUL and for half of a surrogate pair, which no UTF-8 can carry. */
export function refuseUnstorable(field: string, text: string): void {
  if (text.includes('\0')) throw new ApiError('data_invalid', `${field} must not contain the character NUL.`);
  if (!text.isWellFormed())
    throw new ApiError(
      'data_invalid',
      `${field} must be text that can be written as UTF-8 (half a character is in it).`,
    );
}

/** Throws `data_invalid` where the text has more than `maxBytes` bytes as UTF-8. */
export function refuseLonger(field: string, text: string, maxBytes: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes)
    throw new ApiError('data_invalid', `${field} has ${bytes} bytes; at most ${maxBytes} are allowed.`);
}
