// npm test: all tests by vitest, in a process group that ends with it. What runs when is in vitest.config.ts; the last line comes
// from test/setup/reporter.ts. HELP has the flags.

import { join } from 'node:path';
import { packageRoot } from '../src/stack/paths.ts';
import { askedOf, readFlags, WrongUse } from './flags.ts';
import { startGroup } from './process-group.ts';

const PARTS = ['checks', 'unit', 'simulation', 'integration', 'chaos'];

const HELP = `npm test -- [--only PART] [--long] [-t PATTERN] [FILE ...] [-- ARGUMENTS OF VITEST]

Checks types and style and runs all tests. Starts its own Kafka and Redis unless KAFKA_BROKERS and REDIS_URL name others.

  --only PART                   only this part: ${PARTS.join(', ')}; also npm run test:PART
  --long                        simulation and chaos alone, for longer; also npm run test:long
  -t, --testNamePattern PATTERN tests whose name matches
  FILE                          files whose path contains this text

Examples:
  npm test
  npm run test:unit -- test/selector
  npm test -- --only integration test/integration/flow.test.ts -t 'dead letters'

Exit codes: 0 all passed, 1 a test failed or was skipped without a reason, 2 usage error.
`;

/** Arguments of vitest. */
function read(args: readonly string[]): string[] | undefined {
  const text = { type: 'string' } as const;
  const flags = { only: text, long: { type: 'boolean' }, testNamePattern: { ...text, short: 't' } } as const;
  const { values, words, rest, help } = readFlags(args, flags, { words: true });
  if (help) return undefined;
  const { only, long, testNamePattern: pattern } = values;
  if (only !== undefined && !PARTS.includes(only))
    throw new WrongUse(`Unknown part '${only}': choose from ${PARTS.join(', ')}.`);
  const parts = only === undefined ? (long ? ['simulation', 'chaos'] : []) : [only];
  return [
    ...(long ? ['--mode', 'long'] : []),
    ...parts.flatMap((part) => ['--project', part]),
    ...words,
    ...(pattern === undefined ? [] : ['-t', pattern]),
    ...rest,
  ];
}

const args = askedOf('npm test', HELP, read);
process.chdir(packageRoot);
const vitest = startGroup(process.execPath, [join(packageRoot, 'node_modules/vitest/vitest.mjs'), 'run', ...args]);
let stoppedBy: number | undefined;
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
  process.on(signal, () => {
    stoppedBy = code;
    vitest.stop();
  });
}
const code = await vitest.ended;
process.exitCode = stoppedBy ?? code;
