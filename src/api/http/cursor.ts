/** Where a listing goes on: opaque to callers, and only good for the listing that gave it. */
import { ApiError } from '../../errors.ts';

/** `listing` names what is listed, `place` where it stopped. */
export const cursorOf = (listing: string, place: string): string =>
  Buffer.from(JSON.stringify([listing, place])).toString('base64url');

/** The place of a cursor; null where none is given. `names`: of the field here, and of the one in answers. Throws
 *  `data_invalid` for a text that this listing never gave. */
export function placeOf(
  listing: string,
  cursor: string | null | undefined,
  names: readonly [given: string, answered: string] = ['cursor', 'next_cursor'],
): string | null {
  if (!cursor) return null;
  try {
    const [of, place] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown[];
    if (of === listing && typeof place === 'string' && place !== '') return place;
  } catch {
    // Not one of ours: the sentence below says so.
  }
  throw new ApiError('data_invalid', `${names[0]} must be the ${names[1]} of an earlier answer to the same request.`);
}
