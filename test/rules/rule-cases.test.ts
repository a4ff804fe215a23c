/** The published rule cases; many more are kept apart. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { evaluateCase } from '../../src/rules/rule-cases.ts';
import { NOW } from './support.ts';

type Case = { id: string; rule: unknown; event: unknown; expected: boolean };
const cases: Case[] = JSON.parse(readFileSync(new URL('fixtures/detect.json', import.meta.url), 'utf8'));

describe('rule cases', () => {
  it('are all there', () => expect(cases.length).toBeGreaterThanOrEqual(50));

  it.each(cases.map((one) => [one.id, one] as const))('%s', (_id, one) => {
    expect(evaluateCase(one, NOW)).toEqual({ id: one.id, match: one.expected });
  });

  it('a rule that is refused matches nothing and says where the fault is', () => {
    const verdict = evaluateCase(
      { id: 7, rule: { op: 'and', rules: [{ op: 'exists', path: 'event' }, { op: 'was' }] } },
      NOW,
    );
    expect(verdict).toEqual({ id: 7, match: false, error: 'rule/rules/1/op: There is no operator "was" here.' });
  });

  it('what is no case at all matches nothing', () => {
    for (const value of [null, 3, 'x', [], {}]) expect(evaluateCase(value, NOW).match).toBe(false);
  });
});
