/** What an operator of rules consists of. table.ts lists all of them. */
import type { CompileOperator } from '../spec.ts';

export type Operator = {
  readonly compile: CompileOperator;
  /** The test is not shared between rules, because it consists of other operators, or has a result besides true and false. */
  readonly neverShared?: true;
};

/** Operators by name. */
export type Operators = Readonly<Record<string, Operator>>;
