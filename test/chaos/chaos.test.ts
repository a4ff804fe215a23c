/** Every fault at least once: in a minute, or in ten by `npm run test:long`. `npm run chaos` takes other seeds. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { kafkaRuns, redisRuns } from '../integration/support/local.ts';
import { FAULT_NAMES } from './faults.ts';
import { runChaos } from './run.ts';

declare module 'vitest' {
  interface ProvidedContext {
    chaosSeconds: number;
  }
}

const seconds = inject('chaosSeconds');
const DELIVERIES = (200 * seconds) / 60;

test.runIf(kafkaRuns && redisRuns)(
  'all promises are kept through chaos',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rt-chaos-'));
    const options = { seed: 1, seconds, deliveries: DELIVERIES, faults: FAULT_NAMES, folder, say: console.log };
    const { violations, counts, faults, history } = await runChaos(options);
    console.log(JSON.stringify({ counts, faults }));
    expect(violations, `the history is in ${history}`).toEqual([]);
    expect(Object.keys(faults).toSorted()).toEqual(FAULT_NAMES.toSorted());
    expect(counts.deliveries).toBeGreaterThanOrEqual(DELIVERIES);
    expect(counts.settled).toBeGreaterThan(counts.deliveries / 2);
    rmSync(folder, { recursive: true, force: true });
  },
  (seconds + 180) * 1_000,
);
