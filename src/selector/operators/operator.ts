/** What an operator consists of. table.ts lists all of them. */
import type { Predicate, Verdict } from '../predicate.ts';
import type { SensorFieldName } from '../sensor/fields.ts';
import type { RequiredKeys } from './keys.ts';

/** Evaluates one clause on the value that its path leads to. */
export type ValueTest = (value: unknown) => Verdict;

/** Limits the characters that each regular expression of a selector reads in one evaluation. */
export interface RegexBudget {
  /** Opens the account of one regular expression. `charge` takes the number it returns. */
  open(): number;
  /** Charges the match of a text of `length` characters. False: this exceeds the limit, so do not match. */
  charge(account: number, length: number, steps: number): boolean;
}

/** An operator between a field and a value. A key that a nested map lacks makes it false. */
export interface Comparison {
  /** The negated form of an operator that is written as a sign. Without it the operator is a word, and `not` before it negates it. */
  readonly negatedSign?: string;
  /** The value is written before the operator, the field after it. */
  readonly valueFirst?: true;
  /** The word for the same operator with the sides swapped. */
  readonly swappedWord?: string;
  readonly valueIs: 'text' | 'regex';
  test(value: string, budget: RegexBudget): ValueTest;
  /** A faster form of `test` for a field of the sensor itself. */
  testField?(field: SensorFieldName, value: string): Predicate;
  /** The keys of the index: at least one of them is in every usual record for which the comparison is true. Null: no such keys. */
  requiredKeys?(field: string, value: string): RequiredKeys | null;
}

/** An operator on a field alone, written `is WORD` and `is not WORD`. */
export interface StateTest {
  readonly test: ValueTest;
  /** The verdict for a key that a nested map lacks. */
  readonly onAbsent: boolean;
}
