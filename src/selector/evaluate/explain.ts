/**
 * Explains why a selector does or does not select one sensor: each clause with its value and its own verdict. All clauses are evaluated,
 * also those that the evaluation of the whole selector skips. A `not` around a clause is not part of it. An any/all is one clause,
 * because its operand is about items.
 */
import type { Leaf, SelectorAst } from '../ast.ts';
import { printSelector } from '../language/print.ts';
import type { SelectorRecord, Verdict } from '../predicate.ts';
import { work } from '../work-counter.ts';
import { compileSelector } from './compile.ts';
import { SelectorRegexes } from './regex-budget.ts';
import { ABSENT, BROKEN, reader } from './resolve.ts';

export interface ExplainedClause {
  /** The clause as printed. */
  readonly clause: string;
  /** Its position in the selector, in characters from 1. */
  readonly column: number;
  /** The value of the sensor at the path. Undefined if there is none. */
  readonly value: unknown;
  readonly result: Verdict;
  /** Why the result is an error. Present only if its regular expressions exceed the work limit. */
  readonly reason?: string;
}

export interface Explanation {
  readonly result: Verdict;
  readonly clauses: readonly ExplainedClause[];
}

/** Evaluates the selector as a whole and clause by clause. `whole`: the selector that it is a part of. Throws nothing. */
export function explainSelector(ast: SelectorAst, record: SelectorRecord, whole: SelectorAst = ast): Explanation {
  const clauses = clausesOf(ast).map((node): ExplainedClause => {
    const value = reader(node.path, [], { values: [], visits: 0, clauses: 0 })(record);
    const refusedBefore = work.refused;
    const result = compileSelector(node, whole)(record);
    return {
      clause: printSelector(node),
      column: node.column,
      value: value === ABSENT || value === BROKEN ? undefined : value,
      result,
      ...(result === 'error' && work.refused > refusedBefore ? { reason: tooMuchWork(whole) } : {}),
    };
  });
  return { result: compileSelector(ast, whole)(record), clauses };
}

/** What to do if a text is too long for the regular expressions of a selector. */
export function tooMuchWork(ast: SelectorAst): string {
  const { steps, characters } = SelectorRegexes.of(ast);
  return (
    `The regular expressions of the selector compile to ${steps} steps, so each may read at most ${characters} characters ` +
    'of a sensor. This sensor has more. Use smaller repeat counts, or fewer regular expressions.'
  );
}

function clausesOf(node: SelectorAst): Leaf[] {
  switch (node.type) {
    case 'everything':
      return [];
    case 'not':
      return clausesOf(node.operand);
    case 'and':
    case 'or':
      return node.operands.flatMap(clausesOf);
    case 'comparison':
    case 'state':
    case 'collection':
      return [node];
  }
}
