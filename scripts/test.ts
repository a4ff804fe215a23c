// npm test: brings up Kafka and Redis, checks types and style and runs all tests, then stops what it started. Everything that needs
// no server runs while the stack comes up. The last line counts: N passed, N failed, N skipped (type check and lint are one each).
// HELP has the flags. Exit code 1 on a failure, and on a skipped test for which test/skips.json has no reason.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { packageRoot } from '../src/stack/paths.ts';
import type { Stack } from '../src/stack/source.ts';
import { upStack } from '../src/stack/stack.ts';
import { askedOf, readFlags, WrongUse } from './flags.ts';
import { createSteps, type StepOptions } from './step.ts';
import {
  type AllowedSkip,
  addTallies,
  countLine,
  type Tally,
  tallyOfStep,
  tallyOfVitest,
  unexplainedSkips,
  type VitestReport,
} from './test-report.ts';

const PROJECTS = ['unit', 'simulation', 'integration', 'faults', 'chaos'] as const;
type Project = (typeof PROJECTS)[number];

const HELP = `npm test -- [--only PART] [-t PATTERN] [FILE ...] [-- ARGUMENTS OF VITEST]

Checks types and style and runs all tests. Starts its own Kafka and Redis unless KAFKA_BROKERS and REDIS_URL name others.

  --only PART                   only this part: ${PROJECTS.join(', ')}; also npm run test:PART
  -t, --testNamePattern PATTERN tests whose name matches
  FILE                          files whose path contains this text

Examples:
  npm test
  npm run test:unit -- test/selector
  npm test -- --only integration test/integration/flow.test.ts -t 'dead letters'

Exit codes: 0 all passed, 1 a test failed or was skipped without a reason, 2 usage error.
`;

function read(args: readonly string[]): { only: Project | undefined; extra: string[] } | undefined {
  const text = { type: 'string' } as const;
  const flags = { only: text, testNamePattern: { ...text, short: 't' } };
  const { values, words, rest, help } = readFlags(args, flags, { words: true });
  if (help) return undefined;
  const { only, testNamePattern: pattern } = values;
  const project = PROJECTS.find((name) => name === only);
  if (only !== undefined && project === undefined)
    throw new WrongUse(`Unknown part '${only}': choose from ${PROJECTS.join(', ')}.`);
  return { only: project, extra: [...words, ...(pattern === undefined ? [] : ['-t', pattern]), ...rest] };
}

const { only, extra } = askedOf('npm test', HELP, read);

const MINUTE_MS = 60_000;
const BOUND_MS = {
  check: 5 * MINUTE_MS,
  unit: 10 * MINUTE_MS,
  simulation: 10 * MINUTE_MS,
  integration: 40 * MINUTE_MS,
  faults: 40 * MINUTE_MS,
  chaos: 10 * MINUTE_MS,
  stack: 10 * MINUTE_MS,
};

/** After a signal, a stack that is still starting has this long to start and stop cleanly. Then its watchdogs end it. */
const STACK_GRACE_MS = 3_000;

const steps = createSteps();
const stacksComing: Promise<Stack>[] = [];
/** Set by a signal; it ends the process. */
let ending: Promise<unknown> | undefined;
const reports = mkdtempSync(join(tmpdir(), 'reliable-tasking-reports-'));

function say(line: string): void {
  console.log(line);
}

async function runStep(name: string, command: string, args: readonly string[], options: StepOptions) {
  const { ok, output, timedOut } = await steps.run(command, args, options);
  if (timedOut) say(`${name}: stopped, it took too long`);
  return { ok, output };
}

/** Runs a script of package.json and shows its output only when it fails. */
async function check(script: 'typecheck' | 'lint'): Promise<Tally> {
  const scripts = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')).scripts as Record<string, string>;
  const options = { boundMs: BOUND_MS.check, quiet: true };
  const { ok, output } = await runStep(script, '/bin/sh', ['-c', scripts[script] ?? 'false'], options);
  if (ending === undefined) say(ok ? `${script}: passed` : `${script}: FAILED\n${output}`);
  return tallyOfStep(script, ok);
}

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  } catch {
    return undefined;
  }
}

async function vitest(project: Project, extra: readonly string[], env: NodeJS.ProcessEnv): Promise<Tally> {
  const reportFile = join(reports, `${project}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  const args = [
    join(packageRoot, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--project',
    project,
    ...reporters,
    ...extra,
  ];
  // A project without a test yet is no failure; neither is a filter that names files of the other project.
  const options = { env, boundMs: BOUND_MS[project] };
  const { ok } = await runStep(`${project} tests`, process.execPath, [...args, '--passWithNoTests'], options);
  return tallyOfVitest(readReport(reportFile), ok, `${project} tests`, packageRoot);
}

async function withinBound<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('The stack did not come up in time.')), BOUND_MS.stack);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Servers or ports that the environment names exist only once, so parts cannot use them at the same time. */
const isNamed = ['KAFKA_BROKERS', 'KAFKA_PORT', 'REDIS_PORT'].some((name) => process.env[name] !== undefined);

/** A stack of its own for each part, since some tests empty its Redis; the same one where the environment names it. */
function stackOf(): Promise<Stack> {
  const [first] = stacksComing;
  if (first && isNamed) return first;
  const coming = upStack({ purpose: 'test', log: say });
  stacksComing.push(coming);
  return coming;
}

async function onStack(project: Project, before: Promise<unknown>, extra: readonly string[]): Promise<Tally> {
  const coming = stackOf();
  try {
    const stack = await withinBound(coming);
    await before; // two cores: tests that wait for brokers must not compete with those that only compute
    const env = { KAFKA_BROKERS: stack.kafkaBrokers.join(','), REDIS_URL: stack.redisUrl };
    return await vitest(project, extra, env);
  } catch (error) {
    say(`stack: FAILED\n${error instanceof Error ? error.message : error}`);
    return tallyOfStep('stack', false);
  }
}

async function stopStacks(): Promise<void> {
  await Promise.all(stacksComing.map(async (coming) => (await coming.catch(() => undefined))?.stop()));
}

/** A signal ends what runs and the stack, then this process, by the usual exit code. A second one does not wait. */
function stopOnSignals(): void {
  let firstAtMs: number | undefined;
  const stop = (code: number) => () => {
    if (firstAtMs !== undefined) {
      // A terminal and npm may both deliver the same Ctrl-C.
      if (Date.now() - firstAtMs > 1000) process.exit(code);
      return;
    }
    firstAtMs = Date.now();
    say('Stopping ...');
    ending = Promise.all([steps.stop(), Promise.race([stopStacks(), delay(STACK_GRACE_MS)])])
      .then(() => rmSync(reports, { recursive: true, force: true }))
      .finally(() => process.exit(code));
  };
  process.on('SIGINT', stop(130)).on('SIGTERM', stop(143)).on('SIGHUP', stop(129));
}

async function runAll(only: Project | undefined, extra: readonly string[]): Promise<Tally> {
  const is = (project: Project) => only === undefined || only === project;
  const work: Promise<Tally>[] = [];
  if (only === undefined) work.push(check('typecheck'), check('lint'));
  // One after the other: each of them uses all cores.
  const unit = is('unit') ? vitest('unit', extra, {}) : undefined;
  if (unit) work.push(unit);
  if (is('simulation')) work.push(Promise.resolve(unit).then(() => vitest('simulation', extra, {})));
  const before = Promise.allSettled([...work]);
  const integration = is('integration') ? onStack('integration', before, extra) : undefined;
  if (integration) work.push(integration);
  // Both mostly wait, so they run at the same time, on separate servers.
  if (is('faults')) work.push(onStack('faults', isNamed ? Promise.allSettled([before, integration]) : before, extra));
  if (is('chaos')) work.push(Promise.allSettled([...work]).then(() => vitest('chaos', extra, {})));
  return addTallies(await Promise.all(work));
}

process.chdir(packageRoot);
stopOnSignals();
const tally = await runAll(only, extra);
await (ending ?? stopStacks());
rmSync(reports, { recursive: true, force: true });
const allowed = JSON.parse(readFileSync(join(packageRoot, 'test/skips.json'), 'utf8')) as AllowedSkip[];
const unexplained = unexplainedSkips(tally, allowed);
for (const failure of tally.failures) say(`failed: ${failure}`);
for (const skip of unexplained) say(`skipped without a reason in test/skips.json: ${skip}`);
say(countLine(tally));
process.exitCode = tally.failures.length + unexplained.length > 0 ? 1 : 0;
