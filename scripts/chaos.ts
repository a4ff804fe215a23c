// npm run chaos -- [--seed N] [--seconds S] [--pairs N] [--faults NAME,NAME] [--keep FOLDER]
//
// A Kafka and a Redis of its own, two processes of each role, a fleet, and faults by a plan from the seed; then I1 to I8 are
// judged. Prints counts, keeps the history. Exit code 1 when a promise was broken, 2 for wrong arguments.

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FAULT_NAMES, type FaultName } from '../test/chaos/faults.ts';
import { runChaos } from '../test/chaos/run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '60' },
    pairs: { type: 'string', default: '200' },
    faults: { type: 'string' },
    keep: { type: 'string' },
  },
});

function wholeNumber(name: 'seed' | 'seconds' | 'pairs', most: number): number {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  console.error(`--${name} ${values[name]}: a whole number from 1 to ${most}`);
  process.exit(2);
}

function faultNames(): readonly FaultName[] {
  if (values.faults === undefined) return FAULT_NAMES;
  const names = values.faults.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !FAULT_NAMES.includes(name as FaultName));
  if (unknown.length === 0) return names as FaultName[];
  console.error(`--faults: there is no ${unknown.join(', ')}. There are:\n  ${FAULT_NAMES.join('\n  ')}`);
  process.exit(2);
}

const folder = values.keep === undefined ? mkdtempSync(join(tmpdir(), 'rt-chaos-')) : resolve(values.keep);
const { violations, counts, faults, history } = await runChaos({
  seed: wholeNumber('seed', 2 ** 31),
  seconds: wholeNumber('seconds', 86_400),
  pairs: wholeNumber('pairs', 1_000_000),
  faults: faultNames(),
  folder,
  say: (line) => console.error(line),
});
console.table(faults);
console.table(counts);
for (const violation of violations) console.log(violation);
console.log(`${violations.length} violations; the history is in ${history}`);
process.exitCode = violations.length === 0 ? 0 : 1;
