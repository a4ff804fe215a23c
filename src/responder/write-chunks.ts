/** Rules can make many records of one batch, and each is a request to the broker. */
import { ApiError } from '../errors.ts';
import { chunksOf } from '../text/chunks.ts';

const IN_FLIGHT_MAX = 500;

/** Writes all records, chunk by chunk. A record that is too large for the topic goes to `onRefused` and is left out: otherwise the
 *  batch would be tried again forever, and nothing behind it would be processed. Rejects as `write` does for other errors. */
export async function writeChunks<T>(
  records: readonly T[],
  write: (chunk: T[]) => Promise<unknown>,
  onRefused: (error: ApiError) => void,
): Promise<void> {
  for (const chunk of chunksOf(records, IN_FLIGHT_MAX)) {
    try {
      await write(chunk);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'record_too_large') throw error;
      if (chunk.length === 1) onRefused(error);
      else for (const record of chunk) await writeChunks([record], write, onRefused);
    }
  }
}
