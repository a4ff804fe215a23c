/** A minute with every fault at least once. `npm run chaos` does it for longer, and with other seeds. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kafkaRuns, redisRuns } from '../integration/support/local.ts';
import { FAULT_NAMES } from './faults.ts';
import { runChaos } from './run.ts';

test.runIf(kafkaRuns && redisRuns)(
  'all promises are kept through a minute of chaos',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rt-chaos-'));
    const options = { seed: 1, seconds: 60, deliveries: 200, faults: FAULT_NAMES, folder, say: console.log };
    const { violations, counts, faults, history } = await runChaos(options);
    console.log(JSON.stringify({ counts, faults }));
    expect(violations, `the history is in ${history}`).toEqual([]);
    expect(Object.keys(faults).toSorted()).toEqual(FAULT_NAMES.toSorted());
    expect(counts.deliveries).toBeGreaterThanOrEqual(200);
    expect(counts.settled).toBeGreaterThan(counts.deliveries / 2);
    rmSync(folder, { recursive: true, force: true });
  },
  240_000,
);
