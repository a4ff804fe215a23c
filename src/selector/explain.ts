/**
 * Why a selector does or does not select one sensor: every clause with the value it met and its own verdict. All clauses
 * are evaluated, also those that the whole never reaches; a `not` around a clause is not part of it. What stands inside
 * `any … { }` is about items, so the any or all is one clause.
 */
import type { CollectionNode, ComparisonNode, SelectorAst, SelectorRecord, StateNode, Verdict } from './ast.ts';
import { compileSelector } from './compile.ts';
import { printSelector } from './print.ts';
import { ABSENT, BROKEN, reader } from './resolve.ts';

export interface ExplainedClause {
  /** The clause as printed. */
  readonly clause: string;
  /** Where it stands in the selector, in characters from 1. */
  readonly column: number;
  /** What the sensor has there; undefined where it has nothing. */
  readonly value: unknown;
  readonly result: Verdict;
}

export interface Explanation {
  readonly result: Verdict;
  readonly clauses: readonly ExplainedClause[];
}

/** Evaluates the selector as a whole and clause by clause. Throws nothing. */
export function explainSelector(ast: SelectorAst, record: SelectorRecord): Explanation {
  const clauses = clausesOf(ast).map((node): ExplainedClause => {
    const value = reader(node.path, [], { values: [], visits: 0 })(record);
    return {
      clause: printSelector(node),
      column: node.column,
      value: value === ABSENT || value === BROKEN ? undefined : value,
      result: compileSelector(node)(record),
    };
  });
  return { result: compileSelector(ast)(record), clauses };
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
