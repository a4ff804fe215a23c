// npm run chaos: a Kafka and a Redis of its own, two processes of each role, a fleet, and faults by a plan from the seed; then I1 to
// I8 are judged. Prints counts, keeps the history. HELP has the flags. Exit code 1 when a promise was broken, 2 for a wrong
// command line.

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FAULT_NAMES, type FaultName } from '../test/chaos/faults.ts';
import { runChaos } from '../test/chaos/run.ts';
import { askedOf, readFlags, WrongUse, wholeNumber } from './flags.ts';

const HELP = `npm run chaos -- [--seed N] [--seconds S] [--deliveries N] [--faults NAME,NAME] [--keep FOLDER]

Starts its own Kafka and Redis and two processes of each role, injects faults, and checks the promises against the records that were written.

  --seed N            seed of the fault plan (default 1)
  --seconds S         duration (default 60)
  --deliveries N      deliveries, each of one task to one sensor (default 200)
  --faults NAME,NAME  only these faults: ${FAULT_NAMES.join(', ')}
  --keep FOLDER       folder for history, logs and data (default: a new temporary folder)

Examples:
  npm run chaos -- --seed 3 --seconds 120
  npm run chaos -- --faults 'kill a joiner,flush redis'

Exit codes: 0 all promises kept, 1 a promise was broken, 2 usage error.
`;

function read(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const { values, help } = readFlags(args, { seed: text, seconds: text, deliveries: text, faults: text, keep: text });
  if (help) return undefined;
  return {
    seed: wholeNumber('--seed', values.seed ?? '1', 1, 2 ** 31),
    seconds: wholeNumber('--seconds', values.seconds ?? '60', 1, 86_400),
    deliveries: wholeNumber('--deliveries', values.deliveries ?? '200', 1, 1_000_000),
    faults: faultNames(values.faults),
    keep: values.keep,
  };
}

function faultNames(list: string | undefined): readonly FaultName[] {
  if (list === undefined) return FAULT_NAMES;
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !FAULT_NAMES.includes(name as FaultName));
  if (unknown === undefined) return names as FaultName[];
  throw new WrongUse(`Unknown fault '${unknown}': choose from ${FAULT_NAMES.join(', ')}.`);
}

const { keep, ...plan } = askedOf('npm run chaos', HELP, read);
const folder = keep === undefined ? mkdtempSync(join(tmpdir(), 'rt-chaos-')) : resolve(keep);
const { violations, counts, faults, history } = await runChaos({
  ...plan,
  folder,
  say: (line) => console.error(line),
});
console.table(faults);
console.table(counts);
for (const violation of violations) console.log(violation);
console.log(`${violations.length} violations; the history is in ${history}`);
process.exitCode = violations.length === 0 ? 0 : 1;
