/**
 * Limits work that depends on the length of texts. A regular expression costs its steps for each character, so a text and a pattern
 * of permitted lengths can take tens of milliseconds. `SELECTOR_BOUNDS.regexWork` limits one evaluation of one selector. Code that
 * evaluates many selectors watches `work.spent`, and pauses for other work after each slice.
 *
 * The limit does not depend on the order in which clauses are evaluated: each regular expression may look at `regexWork` divided by
 * the steps of all of them together.
 */
import { anchoredText } from './anchored.ts';
import { SELECTOR_BOUNDS, type SelectorAst } from './ast.ts';
import { compileRegex } from './regex.ts';
import { work } from './spent.ts';

/** Items of a list that cost as much as one step. */
export const ITEMS_PER_STEP = 16;

/** Work of one slice: some 25 ms at the worst. The last evaluation of a slice may take some 100 ms more (`regexWork`). */
export const SLICE_WORK = 250_000;

/** Concurrent loops continue one at a time, so all of them together block the process no longer than one. */
let turns: Promise<unknown> = Promise.resolve();

/** Cuts a loop over many evaluations into slices. Use: `if (slices.isOver) await slices.pause();` `giveTurn` resolves when
 *  all other waiting work has run; it does not reject. */
export class Slices {
  readonly #giveTurn: () => Promise<unknown>;
  #end = work.spent + SLICE_WORK;

  constructor(giveTurn: () => Promise<unknown>) {
    this.#giveTurn = giveTurn;
  }

  get isOver(): boolean {
    return work.spent >= this.#end;
  }

  async pause(): Promise<void> {
    turns = turns.then(this.#giveTurn);
    await turns;
    this.#end = work.spent + SLICE_WORK;
  }

  /** The items that fit, in their order. */
  async filter<T>(items: Iterable<T>, fits: (item: T) => boolean): Promise<T[]> {
    const found: T[] = [];
    for (const item of items) {
      if (this.isOver) await this.pause();
      if (fits(item)) found.push(item);
    }
    return found;
  }
}

/** The regular expressions of a whole selector, found and compiled once however many parts of it are evaluated. */
export class Regexes {
  readonly patterns: readonly string[];
  #steps = -1;

  private constructor(patterns: readonly string[]) {
    this.patterns = patterns;
  }

  static of(whole: SelectorAst): Regexes {
    const found = known.get(whole) ?? new Regexes(patternsIn(whole));
    known.set(whole, found);
    return found;
  }

  /** Together, without those that are answered by comparing texts. */
  get steps(): number {
    if (this.#steps < 0) this.#steps = this.patterns.reduce((sum, pattern) => sum + stepsOf(pattern), 0);
    return this.#steps;
  }

  /** Characters that each of them may look at in one evaluation. */
  get characters(): number {
    return Math.floor(SELECTOR_BOUNDS.regexWork / Math.max(1, this.steps));
  }
}

const known = new WeakMap<SelectorAst, Regexes>();

/** What regular expressions may look at in one evaluation, and what each has looked at so far. */
export class RegexRoom {
  readonly #regexes: Regexes;
  readonly #looked: number[] = [];

  constructor(regexes: Regexes) {
    this.#regexes = regexes;
  }

  /** No regular expression has opened an account: nothing has to be reset. */
  get isUnused(): boolean {
    return this.#looked.length === 0;
  }

  /** An account for one regular expression, to be given to `take`. */
  open(): number {
    return this.#looked.push(0) - 1;
  }

  /** Before an evaluation. */
  reset(): void {
    this.#looked.fill(0);
  }

  /** Charges the match of a text with a regular expression of `steps` steps; false: it exceeds the limit, so do not match. */
  take(account: number, length: number, steps: number): boolean {
    const characters = Math.max(length, 1); // an empty text is work, too
    const looked = (this.#looked[account] ?? 0) + characters;
    this.#looked[account] = looked;
    if (looked > this.#regexes.characters) {
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

/** The regular expressions in a tree, as often as they occur. */
export function patternsIn(node: SelectorAst): string[] {
  switch (node.type) {
    case 'comparison':
      return node.operator === 'matches' || node.operator === 'not matches' ? [node.value] : [];
    case 'and':
    case 'or':
      return node.operands.flatMap(patternsIn);
    case 'not':
    case 'collection':
      return patternsIn(node.operand);
    default:
      return [];
  }
}

/** True if the cost of an evaluation depends on texts and lists of the sensor, so that its result is worth remembering. */
export function asksOfTexts(node: SelectorAst): boolean {
  if (node.type === 'and' || node.type === 'or') return node.operands.some(asksOfTexts);
  if (node.type === 'not') return asksOfTexts(node.operand);
  return node.type === 'collection' || patternsIn(node).some((pattern) => anchoredText(pattern)?.exact !== true);
}
