/** Seeds as tests: so many to a test, each run to its end; what breaks a promise is named with the command that replays it. */
import { describe, expect, inject, it } from 'vitest';
import { run } from './run.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** How many seeds a run has: a multiple of 100. */
    seeds: number;
  }
}

const SEEDS_A_TEST = 25;
/** A file for each share of the seeds, so that as many run side by side as there are cores. */
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
