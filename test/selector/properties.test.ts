import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SELECTOR_ERROR_CODES, SelectorError } from '../../src/selector/errors.ts';
import { compileSelector } from '../../src/selector/evaluate/compile.ts';
import { explainSelector } from '../../src/selector/evaluate/explain.ts';
import { checkSelector } from '../../src/selector/language/check.ts';
import { parseSelector } from '../../src/selector/language/parse.ts';
import { printSelector } from '../../src/selector/language/print.ts';
import { jumbles, records, trees, withoutColumns } from './expressions.ts';

// A failure prints its seed. Set it here or in the environment to repeat the run.
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

describe(`arbitrary selectors (seed ${seed})`, () => {
  it('parse, or are refused with a SelectorError', () => {
    const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), jumbles);
    fc.assert(
      fc.property(texts, (text) => {
        const error = refusal(() => checkSelector(text));
        return isTidy(error, text);
      }),
      runs,
    );
  });

  it('are printed as text that parses to the same tree', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        expect(withoutColumns(parseSelector(printSelector(tree)))).toEqual(withoutColumns(tree));
      }),
      runs,
    );
  });

  it('are printed alike after parsing the printed text', () => {
    fc.assert(
      fc.property(jumbles, (text) => {
        if (refusal(() => parseSelector(text)) !== null) return;
        const printed = printSelector(parseSelector(text));
        expect(printSelector(parseSelector(printed))).toBe(printed);
      }),
      runs,
    );
  });

  it('give a verdict for any record, which the explanation repeats', () => {
    fc.assert(
      fc.property(trees, records, (tree, record) => {
        const verdict = compileSelector(tree)(record);
        expect([true, false, 'error']).toContain(verdict);
        expect(explainSelector(tree, record).result).toBe(verdict);
      }),
      runs,
    );
  });

  it('obey the laws of and, or and not', () => {
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
