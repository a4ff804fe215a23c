/**
 * The recorded results of go-bexpr v0.1.17 on 42 sensors. Two kinds of cases differ on purpose (docs/selectors.md): values
 * that look like JSON pointers keep their slash, and there is no limit on parser steps for nested parentheses.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { evaluateSelector } from '../../src/selector/evaluate/evaluate.ts';
import type { SelectorRecord } from '../../src/selector/predicate.ts';

interface Case {
  readonly expr: string;
  readonly kind: string;
  readonly parses: boolean;
  readonly results: (0 | 1 | 'e')[];
  readonly limit?: boolean;
  readonly equiv?: string;
}

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');
const sensors = JSON.parse(fixture('sensors.json')) as SelectorRecord[];
const cases = fixture('cases.jsonl')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);
const plain = cases.filter((one) => one.kind !== 'pointer_like_value' && one.limit !== true);
const kinds = [...new Set(plain.map((one) => one.kind))];

describe('go-bexpr', () => {
  it('has all cases', () => {
    expect(sensors).toHaveLength(42);
    expect(cases).toHaveLength(832);
  });

  it.each(kinds)('gives the same results: %s', (kind) => {
    for (const { expr, parses, results } of plain.filter((one) => one.kind === kind)) {
      const { parses: parsed, results: got } = evaluateSelector(expr, sensors);
      expect({ expr, parses: parsed, results: got }).toEqual({ expr, parses, results });
    }
  });

  // Random texts of the grammar, a fifth of them damaged, with odd types, names and literals.
  it('gives the same results on 400 random cases', () => {
    const more = JSON.parse(fixture('more-records.json')) as SelectorRecord[];
    const lines = fixture('more-cases.jsonl').trim().split('\n');
    expect(lines).toHaveLength(400);
    for (const line of lines) {
      const { expr, parses, results } = JSON.parse(line) as Case;
      const { parses: parsed, results: got } = evaluateSelector(expr, more);
      expect({ expr, parses: parsed, results: got }).toEqual({ expr, parses, results });
    }
  });

  it('has a step limit that we do not have: the result is that of the simpler text, or one of our bounds applies', () => {
    for (const { expr, equiv, results } of cases.filter((one) => one.limit === true)) {
      const got = evaluateSelector(expr, sensors);
      const bounded = /at most (8192 bytes|100 levels)/.test(got.error ?? '');
      if (equiv === undefined) expect(got.parses, expr).toBe(false);
      else expect(bounded ? results : got.results, expr).toEqual(results);
    }
  });

  it('removes the slash from a quoted value, which we keep', () => {
    const unquotedPointer = (expr: string) => expr.replace(/(==|!=|contains|matches)(\s*)"(\/[^"]*)"/, '$1$2`$3`');
    const leftUnquotedPointer = (expr: string) =>
      unquotedPointer(expr).replace(/^"(\/[^"]*)"(\s+(?:not )?in )/, '`$1`$2');
    for (const { expr } of cases.filter((one) => one.kind === 'pointer_like_value')) {
      expect(evaluateSelector(expr, sensors).results, expr).toEqual(
        evaluateSelector(leftUnquotedPointer(expr), sensors).results,
      );
    }
    const hosts = ['web-1', '/web-1'].map((hostname) => ({ hostname }));
    expect(evaluateSelector('hostname == "/web-1"', hosts).results).toEqual([0, 1]);
    expect(evaluateSelector('"/hostname" == "/web-1"', hosts).results).toEqual([0, 1]);
    expect(evaluateSelector('"/prod" in tags', [{ tags: ['prod'] }, { tags: ['/prod'] }]).results).toEqual([0, 1]);
  });
});
