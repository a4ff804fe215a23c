/** A time limit for asynchronous work. */
import { systemClock, type TimeSource } from './clock.ts';

/** Settles like `work`, or like `onLate` once `ms` have passed. Without `onLate` it then rejects. Late work continues: the caller
 *  must end it. */
export async function withinMs<T, L = never>(
  ms: number,
  work: Promise<T>,
  onLate: () => L | Promise<L> = () => {
    throw new Error(`no answer within ${ms / 1_000} s`);
  },
  clock: Pick<TimeSource, 'after'> = systemClock,
): Promise<T | L> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(ms, resolve);
  try {
    return await Promise.race([work, late.then(onLate)]);
  } finally {
    cancel();
  }
}
