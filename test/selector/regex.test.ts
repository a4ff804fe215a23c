import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRegex } from '../../src/selector/regex.ts';
import { guessRegexCost } from '../../src/selector/regexcost.ts';

const failureOf = (pattern: string) => {
  const compiled = compileRegex(pattern);
  return 'regex' in compiled ? null : compiled.failure.code;
};
const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);

describe('a regular expression', () => {
  it('is compiled once, also when it fails', () => {
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
  ])('is refused before it costs much: %s', (pattern) => {
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

describe(`the guess of its cost (seed ${seed})`, () => {
  it('counts atoms, groups and repeats, and the width of ranges only where case is ignored', () => {
    expect(guessRegexCost('abc')).toEqual({ steps: 3, folded: 0 });
    expect(guessRegexCost('(ab){5}c{2,4}')).toEqual({ steps: 24, folded: 0 });
    expect(guessRegexCost('((ab){5}c){2}').steps).toBe(46);
    expect(guessRegexCost('[]a-z]{3}\\pL\\x{41}').steps).toBe(5);
    expect(guessRegexCost('(?i)[a-z]').folded).toBe(25);
    expect(guessRegexCost('(?i)[\\x{61}-\\x{10ffff}a-]').folded).toBe(0x10ffff - 0x61);
  });

  it('ends for any text, and is never far below what compiling gives', () => {
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
        const { steps } = guessRegexCost(text);
        const compiled = compileRegex(text);
        // A step for each, two for a group's ends, one for a choice: no more than five times, and a few for the frame.
        if ('regex' in compiled) expect(compiled.steps).toBeLessThanOrEqual(5 * (steps + text.length) + 10);
      }),
      { seed, numRuns: 2000 },
    );
  }, 30_000);
});
