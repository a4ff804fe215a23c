/** A question to Kafka or Redis, bounded in time: what hangs costs a caller a 503, never a request that stays open. */
import { ApiError, unavailable } from '../../errors.ts';

/** The answer; rejects with `unavailable` when it fails or takes longer than `boundMs`. ApiErrors pass as they are. */
export function within<T>(boundMs: number, who: string, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(unavailable(`${who} did not answer in time.`)), boundMs);
    answer
      .then(resolve, (error) =>
        reject(error instanceof ApiError ? error : unavailable(`${who} did not answer.`, error)),
      )
      .finally(() => clearTimeout(timer));
  });
}
