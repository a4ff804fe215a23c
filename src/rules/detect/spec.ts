/**
 * The JSON of one operator, and methods to read its parameters. Each returns a value of the expected type or throws a RuleError with the
 * path to the cause. Counts the operators and regular expressions of the whole rule, to enforce its limits.
 */
import { RULE_BOUNDS } from '../bounds.ts';
import { RuleError } from '../errors.ts';
import { isObject, type Test } from '../view.ts';
import { type Path, parsePath } from './path.ts';

/** Totals of all operators of a rule. */
export type RuleTotals = { operators: number; regexSteps: number };

export type CompileOperator = (spec: Spec) => Test;

export class Spec {
  readonly node: Readonly<Record<string, unknown>>;
  readonly at: string;
  readonly depth: number;
  readonly totals: RuleTotals;
  readonly #compile: CompileOperator;

  constructor(value: unknown, at: string, depth: number, totals: RuleTotals, compile: CompileOperator) {
    if (!isObject(value)) throw new RuleError(at, 'An operator must be an object with an `op`.');
    totals.operators += 1;
    if (depth > RULE_BOUNDS.depth)
      throw new RuleError(at, `Operators are nested more than ${RULE_BOUNDS.depth} levels deep.`);
    if (totals.operators > RULE_BOUNDS.operators)
      throw new RuleError(at, `The rule has more than ${RULE_BOUNDS.operators} operators.`);
    this.node = value;
    this.at = at;
    this.depth = depth;
    this.totals = totals;
    this.#compile = compile;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.node, name);
  }

  get(name: string): unknown {
    return this.has(name) ? this.node[name] : undefined;
  }

  fault(name: string, sentence: string): RuleError {
    return new RuleError(`${this.at}/${name}`, sentence);
  }

  /** A required parameter. */
  required(name: string): unknown {
    const value = this.get(name);
    if (value === undefined) throw this.fault(name, `\`${name}\` is missing.`);
    return value;
  }

  text(name: string): string {
    const value = this.required(name);
    if (typeof value !== 'string') throw this.fault(name, `\`${name}\` must be a text.`);
    return value;
  }

  flag(name: string, fallback = false): boolean {
    const value = this.get(name);
    if (value === undefined || value === null) return fallback;
    if (typeof value !== 'boolean') throw this.fault(name, `\`${name}\` must be true or false.`);
    return value;
  }

  /** A number of at least `min`. */
  number(name: string, min: number, fallback?: number): number {
    const value = fallback === undefined ? this.required(name) : (this.get(name) ?? fallback);
    if (typeof value !== 'number' || !(value >= min))
      throw this.fault(name, `\`${name}\` must be a number of at least ${min}.`);
    return value;
  }

  path(name = 'path'): Path {
    const path = parsePath(this.text(name));
    if (path === null) throw this.fault(name, `\`${name}\` must have 1 to ${RULE_BOUNDS.segments} segments.`);
    return path;
  }

  list(name: string): readonly unknown[] {
    const value = this.required(name);
    if (!Array.isArray(value) || value.length === 0)
      throw this.fault(name, `\`${name}\` must be a list that is not empty.`);
    return value;
  }

  /** Compiles an operator inside this one. */
  inner(value: unknown, where: string): Test {
    return this.#compile(new Spec(value, `${this.at}/${where}`, this.depth + 1, this.totals, this.#compile));
  }
}
