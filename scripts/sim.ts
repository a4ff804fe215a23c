// npm run sim -- --seed N [--steps N]          replays one seed and prints what happens
// npm run sim -- --seeds FROM-TO [--steps N]   runs many, and names those that break a promise
//
// --bug NAME plants a bug of test/sim/bugs.ts. Exit code 1 when a promise was broken.

import { parseArgs } from 'node:util';
import { BUGS } from '../test/sim/bugs.ts';
import { run, STEPS } from '../test/sim/run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    steps: { type: 'string', default: String(STEPS) },
    bug: { type: 'string' },
  },
});
const steps = Number(values.steps);
const bug = values.bug === undefined ? {} : { bug: BUGS[values.bug] as (typeof BUGS)[string] };
if (values.bug !== undefined && !bug.bug) throw new Error(`--bug ${Object.keys(BUGS).join('|')}`);

async function one(seed: number): Promise<boolean> {
  const { violation, stats } = await run({ seed, steps, ...bug, trace: (line) => console.log(line) });
  console.log(JSON.stringify(stats));
  console.log(violation === null ? `seed ${seed}: all promises kept` : `seed ${seed}: ${violation.message}`);
  return violation === null;
}

async function many(range: string): Promise<boolean> {
  const [from = 1, to = from] = range.split('-').map(Number);
  const started = performance.now();
  const total = {
    seeds: 0,
    broken: 0,
    dispatches: 0,
    copies: 0,
    late: 0,
    settled: 0,
    letters: 0,
    events: 0,
    virtualMs: 0,
  };
  for (let seed = from; seed <= to; seed += 1) {
    const { violation, stats } = await run({ seed, steps, ...bug });
    total.seeds += 1;
    for (const [name, count] of Object.entries(stats)) total[name as keyof typeof stats] += count;
    if (violation === null) continue;
    total.broken += 1;
    console.log(`seed ${seed}: ${violation.message}`);
  }
  console.log(JSON.stringify({ ...total, seconds: Math.round((performance.now() - started) / 100) / 10 }));
  return total.broken === 0;
}

const ok = values.seeds === undefined ? await one(Number(values.seed ?? 1)) : await many(values.seeds);
process.exitCode = ok ? 0 : 1;
