/**
 * Regular expressions in RE2 syntax, matched in linear time. Each distinct pattern is compiled once, however many selectors use it. A
 * pattern that does not compile, or compiles to a program that is too large, is cached as a failure.
 */
import { RE2JS } from 're2js';
import { SELECTOR_BOUNDS } from '../bounds.ts';
import type { SelectorErrorCode } from '../errors.ts';
import { work } from '../work-counter.ts';
import { estimateRegexCost } from './regex-cost.ts';

export interface RegexFailure {
  readonly code: SelectorErrorCode;
  readonly expected: string;
  readonly hint?: string;
}

/** `steps`: the size of the compiled program, which is the maximum cost of a match per character. */
export type CompiledRegex = { readonly regex: RE2JS; readonly steps: number } | { readonly failure: RegexFailure };

/** Patterns in the cache. The oldest is evicted first; predicates keep theirs. */
const CACHED_PATTERNS = 4096;
/** The estimate ignores what RE2 simplifies, so only a pattern above the limit by this factor is refused without compiling it. */
const ESTIMATE_MARGIN = 4;
/** Limit on lookups of case variants: about twice the number of all characters. */
const FOLDED_MAX = 2_000_000;
/** Work of compilation: per step, and characters looked up per unit. */
const COMPILE_STEP = 40;
const FOLDED_PER_WORK = 16;
const cache = new Map<string, CompiledRegex>();

/** `lengthMax`: the maximum number of characters of the pattern. */
export function compileRegex(pattern: string, lengthMax: number = SELECTOR_BOUNDS.regexLength): CompiledRegex {
  if (pattern.length > lengthMax) {
    const expected = `at most ${lengthMax} characters of regular expression`;
    return { failure: { code: 'selector_regex_too_long', expected } };
  }
  const known = cache.get(pattern);
  if (known !== undefined) return known;
  const compiled = compileOnce(pattern);
  if (cache.size >= CACHED_PATTERNS) {
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
  const cost = estimateRegexCost(pattern);
  if (cost.steps > ESTIMATE_MARGIN * regexSteps || cost.folded > FOLDED_MAX) return { failure: tooLarge() };
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
