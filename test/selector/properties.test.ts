import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkSelector,
  compileSelector,
  explainSelector,
  parseSelector,
  printSelector,
  SELECTOR_ERROR_CODES,
  SelectorError,
} from '../../src/selector/index.ts';
import { jumbles, records, trees, withoutColumns } from './expressions.ts';

// A failure prints its seed; put it here, or in the environment, to see it again.
const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
const runs = { seed, numRuns: 1000 };

function refusal(read: () => unknown): SelectorError | null {
  try {
    read();
    return null;
  } catch (error) {
    if (error instanceof SelectorError) return error;
    throw error;
  }
}

function isTidy(error: SelectorError | null, text: string): boolean {
  if (error === null) return true;
  const within = Number.isInteger(error.column) && error.column >= 1 && error.column <= [...text].length + 1;
  return within && error.code in SELECTOR_ERROR_CODES && error.found !== '' && error.expected !== '';
}

describe(`selectors of any kind (seed ${seed})`, () => {
  it('refuses arbitrary text with a SelectorError or not at all', () => {
    const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), jumbles);
    fc.assert(
      fc.property(texts, (text) => {
        const error = refusal(() => checkSelector(text));
        return isTidy(error, text);
      }),
      runs,
    );
  });

  it('prints a tree as text that parses to the same tree', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        expect(withoutColumns(parseSelector(printSelector(tree)))).toEqual(withoutColumns(tree));
      }),
      runs,
    );
  });

  it('prints what it parsed so that the second printing is the first', () => {
    fc.assert(
      fc.property(jumbles, (text) => {
        if (refusal(() => parseSelector(text)) !== null) return;
        const printed = printSelector(parseSelector(text));
        expect(printSelector(parseSelector(printed))).toBe(printed);
      }),
      runs,
    );
  });

  it('answers true, false or error for any record, and the same when it explains', () => {
    fc.assert(
      fc.property(trees, records, (tree, record) => {
        const verdict = compileSelector(tree)(record);
        expect([true, false, 'error']).toContain(verdict);
        expect(explainSelector(tree, record).result).toBe(verdict);
      }),
      runs,
    );
  });

  it('keeps the laws of and, or and not', () => {
    fc.assert(
      fc.property(trees, trees, records, (a, b, record) => {
        const [text, other] = [printSelector(a), printSelector(b)].map((one) => `(${one})`);
        const verdict = (selector: string) => compileSelector(parseSelector(selector))(record);
        expect(verdict(`not (${text} and ${other})`)).toBe(verdict(`not ${text} or not ${other}`));
        expect(verdict(`not not ${text}`)).toBe(verdict(`${text}`));
      }),
      runs,
    );
  });
});
