import { describe, expect, test } from 'vitest';
import { BodyBudget } from '../../../src/api/http/body-budget.ts';

const MIB = 1_048_576;

describe('bytes of bodies under way', () => {
  test('are limited for one owner, whose further requests are refused', () => {
    const budget = new BodyBudget(2 * MIB, 100 * MIB);
    const first = budget.open('a');
    first.add(MIB);
    first.add(MIB);
    expect(() => budget.open('a').add(1)).toThrow(
      expect.objectContaining({ code: 'rate_limited', status: 429, retryAfterSeconds: 1 }),
    );
    budget.open('b').add(2 * MIB);
    first.release();
    expect(() => budget.open('a').add(2 * MIB)).not.toThrow();
  });

  test('are bounded for the process, but never for an owner who has little', () => {
    const budget = new BodyBudget(2 * MIB, 4 * MIB);
    for (const owner of ['a', 'b']) budget.open(owner).add(2 * MIB);
    expect(() => budget.open('c').add(65_537)).toThrow(
      expect.objectContaining({ code: 'unavailable', status: 503, retryAfterSeconds: 2 }),
    );
    expect(() => budget.open('c').add(65_536)).not.toThrow();
  });

  test('are released once, after both the response and the end of the handler', async () => {
    const budget = new BodyBudget(MIB, MIB);
    const held = budget.open('a');
    held.add(10);
    const { promise, resolve } = Promise.withResolvers<void>();
    const handled = held.during(() => promise);
    held.release();
    held.add(5);
    expect(budget.bytes).toBe(15);
    resolve();
    await handled;
    held.release();
    held.add(7);
    expect(budget.bytes).toBe(0);
  });

  test('do not include a refused charge', () => {
    const budget = new BodyBudget(10, 10);
    const held = budget.open('a');
    held.add(6);
    expect(() => held.add(5)).toThrow();
    expect(budget.bytes).toBe(6);
    held.release();
    expect(budget.bytes).toBe(0);
  });
});
