/** Tries one selector on many records without a server: what `selector eval` prints for each line. */
import type { SelectorRecord } from './ast.ts';
import { compileSelector } from './compile.ts';
import { SelectorError } from './errors.ts';
import { tooMuchWork } from './explain.ts';
import { parseExpression } from './parse.ts';
import { work } from './spent.ts';

export interface EvaluatedSelector {
  readonly expr: string;
  readonly parses: boolean;
  /** Why it does not parse, else null. */
  readonly error: string | null;
  /** One answer for each record, in their order: 1 selected, 0 not, "e" an error. Empty when it does not parse. */
  readonly results: readonly (0 | 1 | 'e')[];
  /** Why an error may be none of a fact that is missing; only where the work of a regular expression was too much. */
  readonly reason?: string;
}

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
    return { expr, parses: true, error: null, results, ...reason };
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    return { expr, parses: false, error: error.message, results: [] };
  }
}
