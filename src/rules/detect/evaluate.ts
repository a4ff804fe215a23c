/** One compiled detect part on one event. Total: a fault is part of the answer, never thrown. */

import { RuleFault } from '../errors.ts';
import { type Asked, Run, type View } from '../view.ts';
import type { Detect } from './compile-detect.ts';

export type Verdict = {
  readonly match: boolean;
  /** Metadata of the key that a lookup found: `.mtd` of templates. */
  readonly mtd: unknown;
  /** What went wrong, as sentences; an unknown lookup, or a fault that ended the evaluation. */
  readonly errors: readonly string[];
};

export function evaluate(detect: Detect, view: View, asked: Asked): Verdict {
  const run = new Run(view, asked);
  try {
    const match = detect.test(view, run);
    return { match, mtd: run.mtd, errors: run.errors };
  } catch (error) {
    if (!(error instanceof RuleFault)) throw error;
    return { match: false, mtd: undefined, errors: [...run.errors, error.message] };
  } finally {
    if (asked.budget !== undefined) asked.budget.left -= run.spent;
  }
}
