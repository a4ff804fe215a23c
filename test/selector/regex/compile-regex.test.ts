import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRegex } from '../../../src/selector/regex/compile-regex.ts';
import { estimateRegexCost } from '../../../src/selector/regex/regex-cost.ts';

const failureOf = (pattern: string) => {
  const compiled = compileRegex(pattern);
  return 'regex' in compiled ? null : compiled.failure.code;
};
const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);

describe('a regular expression', () => {
  it('is compiled once, also if it fails', () => {
    expect(compileRegex('^web-[0-9]+$')).toBe(compileRegex('^web-[0-9]+$'));
    expect(compileRegex('(')).toBe(compileRegex('('));
  });

  it.each(['(?<!w)eb', '(a)\\1', '(?>a)', 'a{1001}', '[z-a]', '\\C', '\udcff', '(?z)'])('is refused: %s', (pattern) => {
    expect(failureOf(pattern)).toBe('selector_bad_regex');
  });

  it.each([
    `(?:${'\\pL'.repeat(300)}){1000}`,
    `(?:${'.'.repeat(1000)}){1000}`,
    `(?:${'()'.repeat(500)}){1000}`,
    '\\pL{1000}'.repeat(100),
    `(?i)${'[b-\u{10ffff}]'.repeat(170)}`,
    `(?i:[${'b-\\x{10ffff}'.repeat(70)}])`,
  ])('is refused at low cost: %s', (pattern) => {
    const started = performance.now();
    expect(failureOf(pattern)).toBe('selector_regex_too_large');
    expect(performance.now() - started).toBeLessThan(200);
  });

  it.each([
    '(?i)[a-z0-9-]{1,63}',
    '[^]a]{1000}',
    '(?:(?:a|b|c|d){10}){100}',
    '\\Q(((\\E{3}',
    'x{,5}',
    '[[:alpha:]-z]{20}',
  ])('is accepted: %s', (pattern) => {
    expect(failureOf(pattern)).toBeNull();
  });
});

describe(`the estimated cost (seed ${seed})`, () => {
  it('counts atoms, groups and repeats, and the width of ranges only where case is ignored', () => {
    expect(estimateRegexCost('abc')).toEqual({ steps: 3, folded: 0 });
    expect(estimateRegexCost('(ab){5}c{2,4}')).toEqual({ steps: 24, folded: 0 });
    expect(estimateRegexCost('((ab){5}c){2}').steps).toBe(46);
    expect(estimateRegexCost('[]a-z]{3}\\pL\\x{41}').steps).toBe(5);
    expect(estimateRegexCost('(?i)[a-z]').folded).toBe(25);
    expect(estimateRegexCost('(?i)[\\x{61}-\\x{10ffff}a-]').folded).toBe(0x10ffff - 0x61);
  });

  it('terminates for any text, and is never far below the compiled size', () => {
    const piece = fc.constantFrom(
      'a',
      '.',
      '\\d',
      '\\pL',
      '[a-z]',
      '[^]]',
      '(',
      ')',
      '(?:',
      '|',
      '*',
      '?',
      '{3}',
      '{2,7}',
      '[',
      '\\',
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 20 }).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const { steps } = estimateRegexCost(text);
        const compiled = compileRegex(text);
        // Each atom compiles to at most five steps (its own, two ends of a group, a choice), and the program adds a few.
        if ('regex' in compiled) expect(compiled.steps).toBeLessThanOrEqual(5 * (steps + text.length) + 10);
      }),
      { seed, numRuns: 2000 },
    );
  }, 30_000);
});
