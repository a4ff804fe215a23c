/** Seeds as tests: so many to a test, each run to its end; what breaks a promise is named with the command that replays it. */
import { describe, expect, it } from 'vitest';
import { run } from './run.ts';

const SEEDS_A_TEST = 25;

export function keepsPromises(from: number, to: number): void {
  const starts = Array.from({ length: Math.ceil((to - from + 1) / SEEDS_A_TEST) }, (_, i) => from + i * SEEDS_A_TEST);
  describe('all promises are kept', () => {
    it.each(starts)(`from seed %i on, for ${SEEDS_A_TEST} seeds of 300 steps`, async (first) => {
      const broken: string[] = [];
      for (let seed = first; seed < first + SEEDS_A_TEST; seed += 1) {
        const { violation } = await run({ seed });
        if (violation) broken.push(`${violation.message}\n  replay: npm run sim -- --seed ${seed}`);
      }
      expect(broken).toEqual([]);
    });
  });
}
