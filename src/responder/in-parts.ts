/** What rules make of a batch may be many records, each a request of its own to the broker: so many are under way at once. */
import { ApiError } from '../errors.ts';
import { chunksOf } from '../text/chunks.ts';

const AT_ONCE = 500;

/** Writes all of them, part by part. One that the broker refuses for good is told to `onRefused` and left out: the batch would be
 *  tried again forever, and nothing behind it would be processed. Rejects as `write` does where another try can help. */
export async function inParts<T>(
  records: readonly T[],
  write: (part: T[]) => Promise<unknown>,
  onRefused: (error: ApiError) => void,
): Promise<void> {
  for (const part of chunksOf(records, AT_ONCE)) {
    try {
      await write(part);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'record_too_large') throw error;
      if (part.length === 1) onRefused(error);
      else for (const record of part) await inParts([record], write, onRefused);
    }
  }
}
