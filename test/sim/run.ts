/** One run of a seed: what it broke, if anything, and what happened in it. The same seed runs the same way every time. */
import type { Bug } from './bugs.ts';
import { type Checker, type Invariant, Violation } from './checker.ts';
import { World } from './world.ts';

export const STEPS = 300;

export type RunOptions = { seed: number; steps?: number; bug?: Bug; trace?: (line: string) => void };

export type RunResult = {
  /** `crash`: a process let an error escape, which would end it. */
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
  // Errors are part of a run, by the hundred; who wants to see where they come from reads along.
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
