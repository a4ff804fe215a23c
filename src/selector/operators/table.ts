/** Every operator of the language. The parser, the printer, the hints, the predicates and the index read it here. */
import { anchoredKeys, equalKeys, itemKeys } from './keys.ts';
import type { Comparison, StateTest } from './operator.ts';
import { equality, fieldEquality, isEmpty, isNil, membership, regexMatch } from './value-tests.ts';

const COMPARISON_TABLE = {
  '==': {
    negatedSign: '!=',
    valueIs: 'text',
    test: equality,
    testField: fieldEquality,
    requiredKeys: equalKeys,
  },
  in: { valueFirst: true, swappedWord: 'contains', valueIs: 'text', test: membership, requiredKeys: itemKeys },
  matches: { valueIs: 'regex', test: regexMatch, requiredKeys: anchoredKeys },
} as const satisfies Record<string, Comparison>;

const STATE_TABLE = {
  empty: { test: isEmpty, onAbsent: true },
  nil: { test: isNil, onAbsent: true },
} as const satisfies Record<string, StateTest>;

export type ComparisonOperator = keyof typeof COMPARISON_TABLE;
export type StateOperator = keyof typeof STATE_TABLE;

export const COMPARISONS: Readonly<Record<ComparisonOperator, Comparison>> = COMPARISON_TABLE;
export const STATES: Readonly<Record<StateOperator, StateTest>> = STATE_TABLE;

export const COMPARISON_OPERATORS = Object.keys(COMPARISON_TABLE) as readonly ComparisonOperator[];
export const STATE_OPERATORS = Object.keys(STATE_TABLE) as readonly StateOperator[];

/** How an operator is written, such as `!=`, `not in`, `is not empty`. */
export function comparisonText(operator: ComparisonOperator, negated: boolean): string {
  if (!negated) return operator;
  return COMPARISONS[operator].negatedSign ?? `not ${operator}`;
}

export const stateText = (operator: StateOperator, negated: boolean): string =>
  negated ? `is not ${operator}` : `is ${operator}`;
