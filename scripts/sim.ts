// npm run sim: runs seeds of the simulation, and prints what happens or which of them break a promise. HELP has the flags. Exit
// code 1 when a promise was broken, 2 for a wrong command line.

import { BUGS } from '../test/sim/bugs.ts';
import { run, STEPS } from '../test/sim/run.ts';
import { askedOf, range, readFlags, WrongUse, wholeNumber } from './flags.ts';

const SEED_MAX = 2 ** 31 - 1;
const STEPS_MAX = 1_000_000;

const HELP = `npm run sim -- [--seed N | --seeds FROM-TO] [--steps N] [--bug NAME]

Runs the simulation, which needs no Kafka and no Redis. The seed determines all faults, times and answers.

  --seed N         run one seed (default 1) and print all its events
  --seeds FROM-TO  run many seeds and print those that break a promise
  --steps N        steps of the outside world in each run (default ${STEPS})
  --bug NAME       plant a bug: ${Object.keys(BUGS).join(', ')}

Examples:
  npm run sim -- --seed 182
  npm run sim -- --seeds 1-10000

Exit codes: 0 all promises kept, 1 a promise was broken, 2 usage error.
`;

type Asked = { seeds: { from: number; to: number } | { one: number }; steps: number; bug?: (typeof BUGS)[string] };

function read(args: readonly string[]): Asked | undefined {
  const text = { type: 'string' } as const;
  const { values, help } = readFlags(args, { seed: text, seeds: text, steps: text, bug: text });
  if (help) return undefined;
  const { seed, seeds, bug } = values;
  if (seed !== undefined && seeds !== undefined) throw new WrongUse('Give --seed or --seeds, not both.');
  if (bug !== undefined && !Object.hasOwn(BUGS, bug))
    throw new WrongUse(`Unknown bug '${bug}': choose from ${Object.keys(BUGS).join(', ')}.`);
  return {
    seeds:
      seeds === undefined
        ? { one: wholeNumber('--seed', seed ?? '1', 0, SEED_MAX) }
        : range('--seeds', seeds, 0, SEED_MAX),
    steps: wholeNumber('--steps', values.steps ?? String(STEPS), 1, STEPS_MAX),
    ...(bug === undefined ? {} : { bug: BUGS[bug] as (typeof BUGS)[string] }),
  };
}

const { seeds, ...options } = askedOf('npm run sim', HELP, read);

async function one(seed: number): Promise<boolean> {
  const { violation, stats } = await run({ seed, ...options, trace: (line) => console.log(line) });
  console.log(JSON.stringify(stats));
  console.log(violation === null ? `seed ${seed}: all promises kept` : `seed ${seed}: ${violation.message}`);
  return violation === null;
}

async function many({ from, to }: { from: number; to: number }): Promise<boolean> {
  const started = performance.now();
  const total = {
    seeds: 0,
    broken: 0,
    dispatches: 0,
    copies: 0,
    late: 0,
    settled: 0,
    deadLetters: 0,
    events: 0,
    virtualMs: 0,
  };
  for (let seed = from; seed <= to; seed += 1) {
    const { violation, stats } = await run({ seed, ...options });
    total.seeds += 1;
    for (const [name, count] of Object.entries(stats)) total[name as keyof typeof stats] += count;
    if (violation === null) continue;
    total.broken += 1;
    console.log(`seed ${seed}: ${violation.message}`);
  }
  console.log(JSON.stringify({ ...total, seconds: Math.round((performance.now() - started) / 100) / 10 }));
  return total.broken === 0;
}

const ok = 'one' in seeds ? await one(seeds.one) : await many(seeds);
process.exitCode = ok ? 0 : 1;
