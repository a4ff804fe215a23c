/** The projection that the simulation stands on keeps the same contract as the one in Redis. */
import { openMemoryBench } from '../sim/redis/bench.ts';
import { projectionContract } from '../support/projection-contract.ts';

projectionContract('in memory', openMemoryBench);
