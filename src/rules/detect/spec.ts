/**
 * One operator as written, and the ways to read its parameters: each either gives a value of the right kind or throws a
 * RuleError with the path to the fault. Counts what a rule asks for together, so that its bounds hold.
 */
import { RULE_BOUNDS } from '../bounds.ts';
import { RuleError } from '../errors.ts';
import { isObject, type Test } from '../view.ts';
import { type Path, parsePath } from './path.ts';

/** What all operators of a rule use up together. */
export type Spent = { operators: number; regexSteps: number };

export type CompileOperator = (spec: Spec) => Test;

export class Spec {
  readonly node: Readonly<Record<string, unknown>>;
  readonly at: string;
  readonly depth: number;
  readonly spent: Spent;
  readonly #compile: CompileOperator;

  constructor(value: unknown, at: string, depth: number, spent: Spent, compile: CompileOperator) {
    if (!isObject(value)) throw new RuleError(at, 'An operator has to be an object with an `op`.');
    spent.operators += 1;
    if (depth > RULE_BOUNDS.depth)
      throw new RuleError(at, `More than ${RULE_BOUNDS.depth} operators inside one another.`);
    if (spent.operators > RULE_BOUNDS.operators)
      throw new RuleError(at, `More than ${RULE_BOUNDS.operators} operators in one rule.`);
    this.node = value;
    this.at = at;
    this.depth = depth;
    this.spent = spent;
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

  /** A parameter that has to be there. */
  needed(name: string): unknown {
    const value = this.get(name);
    if (value === undefined) throw this.fault(name, `\`${name}\` is missing.`);
    return value;
  }

  text(name: string): string {
    const value = this.needed(name);
    if (typeof value !== 'string') throw this.fault(name, `\`${name}\` has to be a text.`);
    return value;
  }

  flag(name: string, fallback = false): boolean {
    const value = this.get(name);
    if (value === undefined || value === null) return fallback;
    if (typeof value !== 'boolean') throw this.fault(name, `\`${name}\` has to be true or false.`);
    return value;
  }

  /** A number that is not below `min`. */
  number(name: string, min: number, fallback?: number): number {
    const value = fallback === undefined ? this.needed(name) : (this.get(name) ?? fallback);
    if (typeof value !== 'number' || !(value >= min))
      throw this.fault(name, `\`${name}\` has to be a number from ${min}.`);
    return value;
  }

  path(name = 'path'): Path {
    const path = parsePath(this.text(name));
    if (path === null)
      throw this.fault(name, `\`${name}\` needs at least one segment and at most ${RULE_BOUNDS.segments}.`);
    return path;
  }

  list(name: string): readonly unknown[] {
    const value = this.needed(name);
    if (!Array.isArray(value) || value.length === 0)
      throw this.fault(name, `\`${name}\` has to be a list that is not empty.`);
    return value;
  }

  /** An operator inside this one. */
  inner(value: unknown, where: string): Test {
    return this.#compile(new Spec(value, `${this.at}/${where}`, this.depth + 1, this.spent, this.#compile));
  }
}
