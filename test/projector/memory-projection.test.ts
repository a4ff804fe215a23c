/** The projection of the simulation keeps the same contract as the projection in Redis. */
import { openMemoryBench } from '../sim/redis/bench.ts';
import { projectionContract } from '../support/projection-contract.ts';

projectionContract('in memory', openMemoryBench);
