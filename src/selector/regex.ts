/**
 * Regular expressions in RE2 syntax, matched in linear time. Each distinct pattern is compiled once, whatever the number
 * of selectors that use it; a pattern that does not compile, or to too large a program, is remembered as a failure.
 */
import { RE2JS } from 're2js';
import { SELECTOR_BOUNDS } from './ast.ts';
import type { SelectorErrorCode } from './errors.ts';
import { guessRegexCost } from './regexcost.ts';
import { work } from './spent.ts';

export interface RegexFailure {
  readonly code: SelectorErrorCode;
  readonly expected: string;
  readonly hint?: string;
}

/** `steps`: the size of its program, what a match costs per character at most. */
export type CompiledRegex = { readonly regex: RE2JS; readonly steps: number } | { readonly failure: RegexFailure };

/** Patterns kept. The oldest goes first; what is in use stays alive in the predicates that hold it. */
const KEPT_PATTERNS = 4096;
/** The guess before compiling leaves out what RE2 simplifies; only what is beyond it by this factor is refused unseen. */
const GUESS_MARGIN = 4;
/** Characters that may be looked up for case variants, about twice all there are. */
const FOLDED_MAX = 2_000_000;
/** Work of compiling: for each step, and for so many characters that are looked up. */
const COMPILE_STEP = 40;
const FOLDED_PER_WORK = 16;
const cache = new Map<string, CompiledRegex>();

/** `lengthMax`: characters that the pattern may have. */
export function compileRegex(pattern: string, lengthMax: number = SELECTOR_BOUNDS.regexLength): CompiledRegex {
  if (pattern.length > lengthMax) {
    const expected = `at most ${lengthMax} characters of regular expression`;
    return { failure: { code: 'selector_regex_too_long', expected } };
  }
  const known = cache.get(pattern);
  if (known !== undefined) return known;
  const compiled = compileOnce(pattern);
  if (cache.size >= KEPT_PATTERNS) {
    for (const oldest of cache.keys()) {
      cache.delete(oldest);
      break;
    }
  }
  cache.set(pattern, compiled);
  return compiled;
}

function compileOnce(pattern: string): CompiledRegex {
  const { regexSteps } = SELECTOR_BOUNDS;
  if (!pattern.isWellFormed()) {
    return { failure: { code: 'selector_bad_regex', expected: 'a regular expression in valid UTF-8' } };
  }
  const cost = guessRegexCost(pattern);
  if (cost.steps > GUESS_MARGIN * regexSteps || cost.folded > FOLDED_MAX) return { failure: tooLarge() };
  work.spent += cost.steps * COMPILE_STEP + cost.folded / FOLDED_PER_WORK;
  try {
    const regex = RE2JS.compile(pattern);
    const steps = regex.programSize();
    return steps <= regexSteps ? { regex, steps } : { failure: tooLarge() };
  } catch (error) {
    return { failure: { code: 'selector_bad_regex', expected: 'an RE2 regular expression', hint: reason(error) } };
  }
}

export function tooLarge(): RegexFailure {
  const expected = `regular expressions of at most ${SELECTOR_BOUNDS.regexSteps} steps together`;
  return { code: 'selector_regex_too_large', expected, hint: 'use smaller repeat counts' };
}

function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/^error parsing regexp: /, '').slice(0, 200);
}
