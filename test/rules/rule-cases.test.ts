/** The published rule cases. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { evaluateCase } from '../../src/rules/rule-cases.ts';
import { NOW } from './support.ts';

type Case = { id: string; rule: unknown; event: unknown; expected: boolean };
const cases: Case[] = JSON.parse(readFileSync(new URL('fixtures/detect.json', import.meta.url), 'utf8'));

describe('rule cases', () => {
  it('are complete', () => expect(cases.length).toBeGreaterThanOrEqual(50));

  it.each(cases.map((one) => [one.id, one] as const))('%s', (_id, one) => {
    expect(evaluateCase(one, NOW)).toEqual({ id: one.id, match: one.expected });
  });

  it('a refused rule matches nothing, and the error has the path to the cause', () => {
    const verdict = evaluateCase(
      { id: 7, rule: { op: 'and', rules: [{ op: 'exists', path: 'event' }, { op: 'was' }] } },
      NOW,
    );
    expect(verdict).toEqual({ id: 7, match: false, error: 'rule/rules/1/op: There is no operator "was".' });
  });

  it('a value that is not a case matches nothing', () => {
    for (const value of [null, 3, 'x', [], {}]) expect(evaluateCase(value, NOW).match).toBe(false);
  });
});
