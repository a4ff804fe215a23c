/** Evaluates one selector on many records without a server. `selector eval` prints the result for each line. */

import { SelectorError, type SelectorErrorCode } from '../errors.ts';
import { checkSelector } from '../language/check.ts';
import { parseExpression } from '../language/parse.ts';
import type { SelectorRecord } from '../predicate.ts';
import { work } from '../work-counter.ts';
import { compileSelector } from './compile.ts';
import { tooMuchWork } from './explain.ts';

export interface EvaluatedSelector {
  readonly expr: string;
  readonly parses: boolean;
  /** Why a server refuses a task with this selector: a syntax error, an unknown field, or a bad regular expression. Else null. */
  readonly error: string | null;
  readonly code: SelectorErrorCode | null;
  /** Position of the error, in characters from 1. */
  readonly column: number | null;
  /** One result for each record, in order: 1 selected, 0 not selected, "e" an error. Empty if the selector does not parse. */
  readonly results: readonly (0 | 1 | 'e')[];
  /** Present if an error is due to the work limit of regular expressions, and not to a missing fact. */
  readonly reason?: string;
}

type Refusal = Pick<EvaluatedSelector, 'error' | 'code' | 'column'>;

/** Records may be any JSON objects. '' is a syntax error here. A bad regular expression parses and gives "e". */
export function evaluateSelector(expr: string, records: readonly SelectorRecord[]): EvaluatedSelector {
  try {
    const ast = parseExpression(expr);
    const predicate = compileSelector(ast);
    const refusedBefore = work.refused;
    const results = records.map((record) => {
      const verdict = predicate(record);
      return verdict === 'error' ? 'e' : verdict ? 1 : 0;
    });
    const reason = work.refused > refusedBefore && results.includes('e') ? { reason: tooMuchWork(ast) } : {};
    return { expr, parses: true, ...refusalOf(expr), results, ...reason };
  } catch (error) {
    return { expr, parses: false, ...refusalBy(error), results: [] };
  }
}

function refusalOf(expr: string): Refusal {
  try {
    checkSelector(expr);
    return { error: null, code: null, column: null };
  } catch (error) {
    return refusalBy(error);
  }
}

/** Rethrows any error that is not a SelectorError. */
function refusalBy(error: unknown): Refusal {
  if (!(error instanceof SelectorError)) throw error;
  const { message, code, column } = error;
  return { error: message, code, column };
}
