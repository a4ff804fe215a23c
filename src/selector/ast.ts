/**
 * The tree of a selector: plain data, safe to keep, compare and send.
 *
 * Invariants of a tree made by the parser, which the printer relies on: an `and` has two operands or more and none of
 * them is an `and` (the same for `or`), a `not` is never directly below a `not`. All three are associative or
 * self-inverse even with errors, so nothing is lost. Columns say where a clause and its parts stood in the text (characters, from 1).
 */

/** What one sensor looks like to a selector. A missing fact is an absent key; nested values are allowed. */
export type SelectorRecord = { readonly [field: string]: unknown };

/** An error (a missing field, a value that cannot be read as the field's type) selects nothing. */
export type Verdict = boolean | 'error';

export type ComparisonOperator = '==' | '!=' | 'in' | 'not in' | 'matches' | 'not matches';
export type StateOperator = 'is empty' | 'is not empty' | 'is nil' | 'is not nil';

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

/** A field against a value. `contains` is `in` with the sides swapped, and becomes it. */
export interface ComparisonNode {
  readonly type: 'comparison';
  readonly column: number;
  readonly path: readonly string[];
  readonly operator: ComparisonOperator;
  /** The text as unquoted. A byte that is no UTF-8 (from an escape such as \xff) stands as U+DC00 plus the byte. */
  readonly value: string;
  readonly pathColumn: number;
  readonly valueColumn: number;
}

export interface StateNode {
  readonly type: 'state';
  readonly column: number;
  readonly path: readonly string[];
  readonly operator: StateOperator;
}

/** `default` binds the item of a list but the key of a map; `index` binds the index or key, `item` always the item. */
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

export type SelectorAst = EverythingNode | JunctionNode | NotNode | ComparisonNode | StateNode | CollectionNode;

export const EVERYTHING: EverythingNode = Object.freeze({ type: 'everything' });

/** Bounds on what is accepted; each has its own error code. */
export const SELECTOR_BOUNDS = Object.freeze({
  /** UTF-8 bytes of the whole text. */
  textBytes: 8192,
  /** Parentheses and any/all inside one another. */
  depth: 100,
  /** Comparisons, `is` clauses and any/all together. */
  terms: 512,
  /** Characters of one regular expression. */
  regexLength: 1024,
  /** Steps of the regular expressions of one selector together: matching costs at most this much per character. */
  regexSteps: 10_000,
  /** Characters times steps: the work of the regular expressions of one selector on one sensor. */
  regexWork: 1_048_576,
  /** Items that any/all may look at in one evaluation; beyond that the verdict is an error. Nested loops multiply. */
  itemVisits: 100_000,
  /** Clauses that any/all may ask of items in one evaluation. */
  itemClauses: 2_000_000,
});

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
