/** Bytes that clients send as base64 in a form. */
import { ApiError } from '../../errors.ts';

/** The bytes; `what` says what they should be, in the sentence of `data_invalid`. A sender that does not percent-encode its
 *  form turns each + of base64 into a space. */
export function bytesOfBase64(text: string, what: string): Buffer {
  const base64 = text.replaceAll(' ', '+').trim();
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return Buffer.from(base64, 'base64');
  throw new ApiError('data_invalid', what);
}

/** The text that bytes are in UTF-8; throws what the platform throws. */
export const textOfBytes = (bytes: Buffer): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes);
