/** Seeds as tests: each runs to its end. A violation is reported with the command that repeats its seed. */
import { describe, expect, inject, it } from 'vitest';
import { run } from './run.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** How many seeds a run has: a multiple of 100. */
    seeds: number;
  }
}

const SEEDS_A_TEST = 25;
/** One file for each share of the seeds, so that several run in parallel. */
const SHARES = 4;

export function keepsPromises(share: number): void {
  const size = inject('seeds') / SHARES;
  const starts = Array.from({ length: size / SEEDS_A_TEST }, (_, i) => 1 + (share - 1) * size + i * SEEDS_A_TEST);
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
