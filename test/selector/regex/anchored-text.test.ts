/** The prefixes of an anchored regular expression apply to every text that RE2 matches. */
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { anchoredText } from '../../../src/selector/regex/anchored-text.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);

describe('the prefixes that a regular expression requires', () => {
  it.each<[string, string[], 'starts' | 'is' | 'starts, and more']>([
    ['^web-', ['web-'], 'starts'],
    ['\\Aweb', ['web'], 'starts'],
    ['^10\\.3\\..*', ['10.3.'], 'starts'],
    ['^10\\.(3|4)\\.', ['10.3.', '10.4.'], 'starts'],
    [
      '^172\\.(1[6-9]|2[0-9]|3[01])\\.1$',
      [16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31].map((n) => `172.${n}.1`),
      'is',
    ],
    ['^(?:web|db)-[0-9]+$', ['db-', 'web-'], 'starts, and more'],
    ['^web-1$', ['web-1'], 'is'],
    ['^web-1\\z', ['web-1'], 'is'],
    ['^web.*$', ['web'], 'starts, and more'],
    ['^web+', ['web'], 'starts, and more'],
    ['^web*', ['we'], 'starts, and more'],
    ['^we(b|b-1)', ['web'], 'starts'],
    ['^a(b.|c)d', ['ab', 'ac'], 'starts, and more'],
    ['^a(b?|c)', ['a'], 'starts, and more'],
    ['^(((a)))', ['a'], 'starts'],
    ['^日本💻', ['日本💻'], 'starts'],
  ])('%s', (pattern, texts, how) => {
    const { whole, exact, ...rest } = anchoredText(pattern) ?? {};
    expect(rest).toEqual({ texts });
    expect(whole ? 'is' : exact ? 'starts' : 'starts, and more').toBe(how);
  });

  it.each([
    'web',
    '^',
    '^.',
    '^(a|)',
    '^a|b',
    '^(a)|b',
    '^*a',
    '(?i)^a',
    '^(?i)a',
    '^[^a]',
    '^[9-0]',
    '^[a-',
    '^\\Qa',
    '^\\d',
  ])('are unknown for %s', (pattern) => expect(anchoredText(pattern)).toBeNull());

  const part = fc.constantFrom(
    'a',
    'b',
    '.',
    '\\.',
    '(',
    ')',
    '(?:',
    '|',
    '*',
    '+',
    '?',
    '{2}',
    '[ab]',
    '[a-c]',
    '[^a]',
    '$',
    '^',
    '\\z',
    '\\b',
    '(?i)',
    '(?i:',
    '.*',
    '\\pL',
    '[[:alpha:]]',
    '[]a]',
    '(?P<n>',
    'A',
    '\\x61',
    '\\Qa',
    '💻',
    '-',
    '(?m)',
    '??',
  );
  const texts = fc.array(fc.constantFrom('a', 'b', '.', 'A', 'c', '\n', '💻', '\udcbb', '-', 'z'), { maxLength: 5 });

  it(`apply whenever RE2 matches, and suffice if they are exact (seed ${seed})`, () => {
    const patterns = fc.array(part, { maxLength: 9 }).map((parts) => `^${parts.join('')}`);
    fc.assert(
      fc.property(patterns, fc.array(texts, { minLength: 1, maxLength: 12 }), (pattern, all) => {
        const anchored = anchoredText(pattern);
        if (anchored === null) return;
        const regex = compiled(pattern);
        // An invalid expression matches nothing, so the prefixes must not be exact.
        if (regex === null) return void expect(anchored.exact).toBe(false);
        for (const text of [...all.map((parts) => parts.join('')), ...anchored.texts]) {
          const { whole, exact } = anchored;
          const fits = anchored.texts.some((start) => (whole ? text === start : text.startsWith(start)));
          if (regex.test(text)) expect(fits, text).toBe(true);
          else if (exact) expect(fits, text).toBe(false);
        }
      }),
      { seed, numRuns: Number(process.env.FC_RUNS ?? 3000) },
    );
  }, 30_000);
});

function compiled(pattern: string): RE2JS | null {
  try {
    return RE2JS.compile(pattern);
  } catch {
    return null;
  }
}
