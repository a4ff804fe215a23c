/**
 * What a process has opened so far, to be closed in reverse order. A start that is stopped halfway ends at the next part that
 * it adds; that part is closed too.
 */
import type { Logger } from 'pino';
import { unavailable } from '../errors.ts';

type Close = () => Promise<void>;

export type Parts = {
  /** Throws once `stop` was called. */
  add(close: Close): Promise<void>;
  /** Each step whatever became of the one before, all within `limitMs`. Safe twice. */
  stop(): Promise<void>;
};

export function createParts(limitMs: number, log: Logger): Parts {
  const open: Close[] = [];
  let stopping: Promise<void> | null = null;
  const close = (step: Close) =>
    step().catch((error: unknown) => log.warn({ err: error }, 'a part did not stop cleanly'));
  const closeAll = async (): Promise<void> => {
    for (let step = open.pop(); step !== undefined; step = open.pop()) await close(step);
  };
  return {
    add: async (step) => {
      if (stopping === null) return void open.push(step);
      await close(step);
      throw unavailable('The process stops.');
    },
    stop: () => {
      stopping ??= within(limitMs, closeAll(), () => log.error('not stopped in time; leaving'));
      return stopping;
    },
  };
}

async function within(limitMs: number, work: Promise<void>, onLate: () => void): Promise<void> {
  const { promise: limit, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    onLate();
    resolve();
  }, limitMs);
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
