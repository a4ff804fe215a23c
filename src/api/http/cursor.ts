/** Cursors of listings: opaque to callers, and valid only for the listing that returned them. */
import { ApiError } from '../../errors.ts';

/** `listing` names what is listed; `start` is where the next page starts. */
export const cursorOf = (listing: string, start: string): string =>
  Buffer.from(JSON.stringify([listing, start])).toString('base64url');

/** Where the page starts; null without a cursor. `names`: the field of the request, and the field of the answer that had the cursor.
 *  Throws `data_invalid` for a text that this listing did not return. */
export function startOf(
  listing: string,
  cursor: string | null | undefined,
  names: readonly [request: string, answer: string] = ['cursor', 'next_cursor'],
): string | null {
  if (!cursor) return null;
  try {
    const [of, start] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown[];
    if (of === listing && typeof start === 'string' && start !== '') return start;
  } catch {
    // Not a cursor of ours: the error below says so.
  }
  throw new ApiError('data_invalid', `${names[0]} must be the ${names[1]} of an earlier answer to the same request.`);
}
