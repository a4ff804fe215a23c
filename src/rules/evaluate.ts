/** One compiled detect part on one event. Total: a fault is part of the answer, never thrown. */
import type { Detect } from './compile.ts';
import { RuleFault } from './errors.ts';
import { eventTypeOf, type Lookups, Run, type View } from './view.ts';

export type Verdict = {
  readonly match: boolean;
  /** Metadata of the key that a lookup found: `.mtd` of templates. */
  readonly mtd: unknown;
  /** What went wrong, as sentences; an unknown lookup, or a fault that ended the evaluation. */
  readonly errors: readonly string[];
};

/** `eventType`: the name that `event` is compared with; by default that of the event. */
export function evaluate(
  detect: Detect,
  view: View,
  { nowMs, lookups, eventType = eventTypeOf(view) }: { nowMs: number; lookups: Lookups; eventType?: string },
): Verdict {
  const run = new Run(eventType, nowMs, lookups);
  try {
    const match = detect.test(view, run);
    return { match, mtd: run.mtd, errors: run.errors };
  } catch (error) {
    if (!(error instanceof RuleFault)) throw error;
    return { match: false, mtd: undefined, errors: [...run.errors, error.message] };
  }
}
