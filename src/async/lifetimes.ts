/**
 * The parts that a process has opened, to be closed in reverse order. A start that is stopped halfway ends at the next part that
 * it adds; that part is closed too.
 */
import type { Logger } from 'pino';
import { unavailable } from '../errors.ts';
import { systemClock, type TimeSource } from './clock.ts';
import { withinMs } from './within-ms.ts';

type Close = () => Promise<void>;

export type Parts = {
  /** Throws once `stop` was called. */
  add(close: Close): Promise<void>;
  /** Closes every part, also after one that failed, all within `limitMs`. Safe twice. */
  stop(): Promise<void>;
};

export function createParts(limitMs: number, log: Logger, clock: Pick<TimeSource, 'after'> = systemClock): Parts {
  const open: Close[] = [];
  let stopping: Promise<void> | null = null;
  const close = (part: Close) =>
    part().catch((error: unknown) => log.warn({ err: error }, 'part not closed cleanly; the next one is closed'));
  const closeAll = async (): Promise<void> => {
    for (let part = open.pop(); part !== undefined; part = open.pop()) await close(part);
  };
  return {
    add: async (part) => {
      if (stopping === null) return void open.push(part);
      await close(part);
      throw unavailable('The process stops.');
    },
    stop: () => {
      stopping ??= withinMs(
        limitMs,
        closeAll(),
        () => log.error({ open: open.length }, 'parts not closed within SHUTDOWN_MS; the process exits without them'),
        clock,
      );
      return stopping;
    },
  };
}
