/**
 * Limits the work of the regular expressions of one selector on one sensor to `SELECTOR_BOUNDS.regexWork`. A regular expression costs its
 * steps for each character, so a text and a pattern of permitted lengths can take tens of milliseconds.
 *
 * The limit does not depend on the order in which clauses are evaluated: each regular expression may read `regexWork` divided by the
 * steps of all of them together.
 */
import type { SelectorAst } from '../ast.ts';
import { SELECTOR_BOUNDS } from '../bounds.ts';
import type { RegexBudget } from '../operators/operator.ts';
import { COMPARISONS } from '../operators/table.ts';
import { anchoredText } from '../regex/anchored-text.ts';
import { compileRegex } from '../regex/compile-regex.ts';
import { work } from '../work-counter.ts';

/** The regular expressions of a whole selector. They are found and compiled once, however many parts of it are evaluated. */
export class SelectorRegexes {
  readonly patterns: readonly string[];
  #steps = -1;

  private constructor(patterns: readonly string[]) {
    this.patterns = patterns;
  }

  static of(whole: SelectorAst): SelectorRegexes {
    const found = known.get(whole) ?? new SelectorRegexes(patternsIn(whole));
    known.set(whole, found);
    return found;
  }

  /** Steps of all of them together, except those that a comparison of texts replaces. */
  get steps(): number {
    if (this.#steps < 0) this.#steps = this.patterns.reduce((sum, pattern) => sum + stepsOf(pattern), 0);
    return this.#steps;
  }

  /** Characters that each of them may read in one evaluation. */
  get characters(): number {
    return Math.floor(SELECTOR_BOUNDS.regexWork / Math.max(1, this.steps));
  }
}

const known = new WeakMap<SelectorAst, SelectorRegexes>();

/** Counts the characters that each regular expression of a selector has read in the current evaluation. */
export class EvaluationBudget implements RegexBudget {
  readonly #regexes: SelectorRegexes;
  readonly #charactersRead: number[] = [];

  constructor(regexes: SelectorRegexes) {
    this.#regexes = regexes;
  }

  /** No account is open, so nothing has to be reset. */
  get isUnused(): boolean {
    return this.#charactersRead.length === 0;
  }

  open(): number {
    return this.#charactersRead.push(0) - 1;
  }

  /** Call before each evaluation. */
  reset(): void {
    this.#charactersRead.fill(0);
  }

  charge(account: number, length: number, steps: number): boolean {
    const characters = Math.max(length, 1); // an empty text is work, too
    const read = (this.#charactersRead[account] ?? 0) + characters;
    this.#charactersRead[account] = read;
    if (read > this.#regexes.characters) {
      work.refused += 1;
      return false;
    }
    work.spent += characters * steps;
    return true;
  }
}

function stepsOf(pattern: string): number {
  if (anchoredText(pattern)?.exact === true) return 0;
  const compiled = compileRegex(pattern);
  return 'regex' in compiled ? compiled.steps : 0;
}

/** The regular expressions in a tree, with repetitions. */
export function patternsIn(node: SelectorAst): string[] {
  switch (node.type) {
    case 'comparison':
      return COMPARISONS[node.operator].valueIs === 'regex' ? [node.value] : [];
    case 'and':
    case 'or':
      return node.operands.flatMap(patternsIn);
    case 'not':
    case 'collection':
      return patternsIn(node.operand);
    case 'everything':
    case 'state':
      return [];
  }
}

/** Whether the cost of an evaluation depends on texts and lists of the sensor, so that its result is worth remembering. */
export function costDependsOnSensor(node: SelectorAst): boolean {
  if (node.type === 'and' || node.type === 'or') return node.operands.some(costDependsOnSensor);
  if (node.type === 'not') return costDependsOnSensor(node.operand);
  return node.type === 'collection' || patternsIn(node).some((pattern) => anchoredText(pattern)?.exact !== true);
}
