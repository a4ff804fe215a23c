/** Tries one selector on many records without a server: what `selector eval` prints for each line. */
import type { SelectorRecord } from './ast.ts';
import { checkSelector } from './check.ts';
import { compileSelector } from './compile.ts';
import { SelectorError, type SelectorErrorCode } from './errors.ts';
import { tooMuchWork } from './explain.ts';
import { parseExpression } from './parse.ts';
import { work } from './spent.ts';

export interface EvaluatedSelector {
  readonly expr: string;
  readonly parses: boolean;
  /** Why a server refuses a task with it, else null: it does not parse, names a field that no sensor has, or has a bad regular
   *  expression. */
  readonly error: string | null;
  readonly code: SelectorErrorCode | null;
  /** Where, in characters from 1. */
  readonly column: number | null;
  /** One answer for each record, in their order: 1 selected, 0 not, "e" an error. Empty when it does not parse. */
  readonly results: readonly (0 | 1 | 'e')[];
  /** Why an error may be none of a fact that is missing; only where the work of a regular expression was too much. */
  readonly reason?: string;
}

type Refusal = Pick<EvaluatedSelector, 'error' | 'code' | 'column'>;

/** Records may be any JSON objects. '' is a syntax error here; a bad regular expression parses and answers "e". */
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
    return { expr, parses: true, ...refusalOf(() => checkSelector(expr)), results, ...reason };
  } catch (error) {
    return { expr, parses: false, ...refusalBy(error), results: [] };
  }
}

function refusalOf(ask: () => unknown): Refusal {
  try {
    ask();
    return { error: null, code: null, column: null };
  } catch (error) {
    return refusalBy(error);
  }
}

/** Throws what is no SelectorError. */
function refusalBy(error: unknown): Refusal {
  if (!(error instanceof SelectorError)) throw error;
  const { message, code, column } = error;
  return { error: message, code, column };
}
