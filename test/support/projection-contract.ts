/**
 * The contract of the projection (src/projector/projection.ts), for any implementation. `open` returns one, with functions to break
 * it. Each test has its own org.
 */
import { afterAll, beforeAll, describe } from 'vitest';
import { applyContract } from './contract-apply.ts';
import { claimsContract } from './contract-claims.ts';
import { markerContract } from './contract-marker.ts';
import { movesContract } from './contract-moves.ts';
import { readsContract } from './contract-reads.ts';
import { replayContract } from './contract-replay.ts';
import { sweepContract } from './contract-sweep.ts';
import type { Bench } from './projection-bench.ts';

export function projectionContract(name: string, open: () => Promise<Bench>): void {
  describe(`the projection ${name}`, () => {
    let opened: Bench;
    const bench = () => opened;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(async () => {
      await opened?.stop();
    });
    markerContract(bench);
    applyContract(bench);
    claimsContract(bench);
    movesContract(bench);
    readsContract(bench);
    replayContract(bench);
    sweepContract(bench);
  });
}
