/** Evaluates one compiled detect part on one event. Throws nothing: a RuleFault becomes an error of the verdict. */

import { RuleFault } from '../errors.ts';
import { type EventContext, Run, type View } from '../view.ts';
import type { Detect } from './compile-detect.ts';

export type Verdict = {
  readonly match: boolean;
  /** Metadata of the key that a lookup found. Templates read it as `.mtd`. */
  readonly mtd: unknown;
  /** Sentences about an unknown lookup, or a fault that ended the evaluation. */
  readonly errors: readonly string[];
};

export function evaluate(detect: Detect, view: View, context: EventContext): Verdict {
  const run = new Run(view, context);
  try {
    const match = detect.test(view, run);
    return { match, mtd: run.mtd, errors: run.errors };
  } catch (error) {
    if (!(error instanceof RuleFault)) throw error;
    return { match: false, mtd: undefined, errors: [...run.errors, error.message] };
  } finally {
    if (context.budget !== undefined) context.budget.left -= run.spent;
  }
}
