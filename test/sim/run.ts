/** One run of a seed: its violation, if any, and its statistics. The same seed always gives the same run. */
import type { Bug } from './bugs.ts';
import { type Checker, type Invariant, Violation } from './checker.ts';
import { World } from './world.ts';

export const STEPS = 300;

export type RunOptions = { seed: number; steps?: number; bug?: Bug; trace?: (line: string) => void };

export type RunResult = {
  /** `crash`: a process did not catch an error, which would end it. */
  violation: { invariant: Invariant | 'crash'; message: string } | null;
  stats: Checker['stats'] & { events: number; virtualMs: number };
};

export async function run({ seed, steps = STEPS, bug, trace }: RunOptions): Promise<RunResult> {
  const world = new World(seed, bug, trace);
  const crashed = new Promise<never>((_, reject) => {
    world.onCrash = reject;
  });
  const onRejection = (error: unknown) => world.onCrash(error);
  process.on('unhandledRejection', onRejection);
  // A run has hundreds of errors; stack traces are only collected for a trace.
  const { stackTraceLimit } = Error;
  if (!trace) Error.stackTraceLimit = 0;
  try {
    await Promise.race([world.live(steps), crashed]);
    return { violation: null, stats: world.stats() };
  } catch (error) {
    const invariant = error instanceof Violation ? error.invariant : 'crash';
    const message = error instanceof Violation ? error.message : `crash: ${(error as Error)?.stack ?? error}`;
    trace?.(message);
    return { violation: { invariant, message }, stats: world.stats() };
  } finally {
    world.end();
    Error.stackTraceLimit = stackTraceLimit;
    process.off('unhandledRejection', onRejection);
  }
}
