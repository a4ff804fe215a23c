/**
 * The tree of a selector: plain data that can be stored, compared and sent.
 *
 * Invariants of a parsed tree, on which the printer relies: an `and` has at least two operands, and none of them is an `and` (the
 * same for `or`); the operand of a `not` is never a `not`. Flattening loses nothing, because `and` and `or` are associative and `not`
 * is its own inverse, also for errors. Columns give the position of a clause and its parts in the text (characters, from 1).
 */
import type { ComparisonOperator, StateOperator } from './operators/table.ts';

export interface EverythingNode {
  readonly type: 'everything';
}

export interface JunctionNode {
  readonly type: 'and' | 'or';
  readonly operands: readonly SelectorAst[];
}

export interface NotNode {
  readonly type: 'not';
  readonly operand: SelectorAst;
}

/** Compares a field with a value. */
export interface ComparisonNode {
  readonly type: 'comparison';
  readonly column: number;
  readonly path: readonly string[];
  readonly operator: ComparisonOperator;
  /** `!=`, `not in`, `not matches`. An error stays an error. */
  readonly negated: boolean;
  /** The text without quotes and escapes. Bytes that are not UTF-8 are represented as in stray-bytes.ts. */
  readonly value: string;
  readonly pathColumn: number;
  readonly valueColumn: number;
}

/** Tests a field alone: `is empty`, `is nil`. */
export interface StateNode {
  readonly type: 'state';
  readonly column: number;
  readonly path: readonly string[];
  readonly operator: StateOperator;
  readonly negated: boolean;
}

/** `default` binds the item of a list, or the key of a map. `index` binds the index or key, `item` always the item. */
export interface CollectionBinding {
  readonly default?: string;
  readonly index?: string;
  readonly item?: string;
}

export interface CollectionNode {
  readonly type: 'collection';
  readonly column: number;
  readonly pathColumn: number;
  readonly quantifier: 'any' | 'all';
  readonly path: readonly string[];
  readonly binding: CollectionBinding;
  readonly operand: SelectorAst;
}

/** A clause, or an any/all with its operand: what is evaluated on a record as one unit. */
export type Leaf = ComparisonNode | StateNode | CollectionNode;

export type SelectorAst = EverythingNode | JunctionNode | NotNode | Leaf;

export const EVERYTHING: EverythingNode = Object.freeze({ type: 'everything' });

/** Joins operands without ever nesting an `and` in an `and`, or an `or` in an `or`. */
export function junction(type: 'and' | 'or', operands: readonly SelectorAst[]): SelectorAst {
  const [only] = operands;
  if (only !== undefined && operands.length === 1) return only;
  return { type, operands: operands.flatMap((node) => (node.type === type ? node.operands : [node])) };
}

/** Two negations cancel out. */
export function negation(operand: SelectorAst): SelectorAst {
  return operand.type === 'not' ? operand.operand : { type: 'not', operand };
}
