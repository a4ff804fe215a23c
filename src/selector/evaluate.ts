/** Tries one selector on many records without a server: what `selector eval` prints for each line. */
import type { SelectorRecord } from './ast.ts';
import { compileSelector } from './compile.ts';
import { SelectorError } from './errors.ts';
import { parseExpression } from './parse.ts';

export interface EvaluatedSelector {
  readonly expr: string;
  readonly parses: boolean;
  /** Why it does not parse, else null. */
  readonly error: string | null;
  /** One answer for each record, in their order: 1 selected, 0 not, "e" an error. Empty when it does not parse. */
  readonly results: readonly (0 | 1 | 'e')[];
}

/** Records may be any JSON objects. '' is a syntax error here; a bad regular expression parses and answers "e". */
export function evaluateSelector(expr: string, records: readonly SelectorRecord[]): EvaluatedSelector {
  try {
    const predicate = compileSelector(parseExpression(expr));
    const results = records.map((record) => {
      const verdict = predicate(record);
      return verdict === 'error' ? 'e' : verdict ? 1 : 0;
    });
    return { expr, parses: true, error: null, results };
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    return { expr, parses: false, error: error.message, results: [] };
  }
}
