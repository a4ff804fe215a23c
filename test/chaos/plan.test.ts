import { describe, expect, it } from 'vitest';
import { planOf } from './plan.ts';

const NAMES = ['kill', 'pause', 'flush', 'restart'] as const;

describe('the plan of a run', () => {
  it('has each fault at least once, in time and in order, and is the same for the same seed', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const plan = planOf(seed, 60_000, NAMES);
      expect(new Set(plan.map(({ fault }) => fault))).toEqual(new Set(NAMES));
      const times = plan.map(({ atMs }) => atMs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(times.at(-1)).toBeLessThan(60_000);
      expect(planOf(seed, 60_000, NAMES)).toEqual(plan);
    }
  });

  it('differs between seeds, and grows with the time', () => {
    expect(planOf(1, 60_000, NAMES)).not.toEqual(planOf(2, 60_000, NAMES));
    expect(planOf(1, 600_000, NAMES).length).toBeGreaterThan(100);
    expect(planOf(1, 1_000, NAMES)).toHaveLength(NAMES.length);
  });
});
