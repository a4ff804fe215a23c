/**
 * Why a selector does or does not select one sensor: every clause with the value it met and its own verdict. All clauses
 * are evaluated, also those that the whole never reaches; a `not` around a clause is not part of it. What stands inside
 * `any … { }` is about items, so the any or all is one clause.
 */
import type { CollectionNode, ComparisonNode, SelectorAst, SelectorRecord, StateNode, Verdict } from './ast.ts';
import { compileSelector } from './compile.ts';
import { printSelector } from './print.ts';
import { ABSENT, BROKEN, reader } from './resolve.ts';
import { work } from './spent.ts';
import { Regexes } from './work.ts';

export interface ExplainedClause {
  /** The clause as printed. */
  readonly clause: string;
  /** Where it stands in the selector, in characters from 1. */
  readonly column: number;
  /** What the sensor has there; undefined where it has nothing. */
  readonly value: unknown;
  readonly result: Verdict;
  /** Why the result is an error, as a sentence; only where the work of its regular expressions is too much. */
  readonly reason?: string;
}

export interface Explanation {
  readonly result: Verdict;
  readonly clauses: readonly ExplainedClause[];
}

/** Evaluates the selector as a whole and clause by clause; `whole` is the one that it is a part of. Throws nothing. */
export function explainSelector(ast: SelectorAst, record: SelectorRecord, whole: SelectorAst = ast): Explanation {
  const clauses = clausesOf(ast).map((node): ExplainedClause => {
    const value = reader(node.path, [], { values: [], visits: 0, asked: 0 })(record);
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

/** What to do about a text that is too long for the regular expressions of a selector. */
export function tooMuchWork(ast: SelectorAst): string {
  const { steps, characters } = Regexes.of(ast);
  return (
    `The regular expressions of the selector compile to ${steps} steps, so each may look at ${characters} characters ` +
    'of a sensor at most. This sensor has more. Use smaller repeat counts, or fewer regular expressions.'
  );
}

function clausesOf(node: SelectorAst): (ComparisonNode | StateNode | CollectionNode)[] {
  switch (node.type) {
    case 'everything':
      return [];
    case 'not':
      return clausesOf(node.operand);
    case 'and':
    case 'or':
      return node.operands.flatMap(clausesOf);
    default:
      return [node];
  }
}
