/**
 * `npm start`: a stack, all roles, a small fleet, and tasks on their way, in one terminal. Stays up until Ctrl-C, which stops
 * everything that was started here. `--exit` ends instead with a table expected / seen: exit code 0 when all was seen, else 1.
 */
import { join } from 'node:path';
import { pino } from 'pino';
import { EXIT } from '../src/cli/codes.ts';
import { ROLES } from '../src/cli/commands/serve.ts';
import { painter, untilStopped, wantsColour } from '../src/cli/io.ts';
import { readConfig } from '../src/config.ts';
import { CAST, makeCast } from '../src/demo/cast.ts';
import { keepIdentity, readIdentity } from '../src/demo/identity.ts';
import { inviteText, tallyText } from '../src/demo/page.ts';
import { RoleProcess } from '../src/demo/roles.ts';
import { Story } from '../src/demo/story.ts';
import { NO_MISHAPS } from '../src/fleet/answer.ts';
import { openFleet } from '../src/fleet/open.ts';
import { StackSettingError } from '../src/stack/errors.ts';
import { shortPath, stackDir } from '../src/stack/paths.ts';
import { choosePort, freePort, portFrom } from '../src/stack/ports.ts';
import { upStack } from '../src/stack/stack.ts';
import { buildConsoleIfStale } from './console.ts';
import { askedOf, readFlags } from './flags.ts';

/** From the moment the stack is up; the last request and the table come after it. */
const DEADLINE_MS = 80_000;
const PREFERRED_PORT = 8080;

const HELP = `npm start -- [--exit]

Brings up Kafka, Redis, all roles and a small fleet, queues tasks and shows them being delivered. Then the console and the API stay
up until Ctrl-C, which stops everything.

  --exit  run the demo once and exit; the exit code reports whether all of it was seen

Settings, from the environment:
  KAFKA_BROKERS, REDIS_URL  use these instead of starting Kafka and Redis
  STACK_SOURCE              docker or local: how to start Kafka and Redis
  HTTP_PORT                 port of the API and the console (default ${PREFERRED_PORT}, else a free port)
  KAFKA_PORT, REDIS_PORT    ports of the Kafka and Redis that it starts (default 9092 and 6379, else free ports)

Examples:
  npm start
  npm start -- --exit
`;

const flags = askedOf('npm start', HELP, (args) => {
  const { values, help } = readFlags(args, { exit: { type: 'boolean' } });
  return help ? undefined : values;
});
const paint = painter(wantsColour(process.stdout.isTTY === true, process.env));
const print = (line: string) => process.stdout.write(`${line}\n`);

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (stopping.signal.aborted) process.exit(1);
    stopping.abort();
  });
}

/** What to stop, last started first. */
const started: { stop(): Promise<void> }[] = [];

async function main(): Promise<number> {
  const identity = readIdentity(stackDir());
  identity.httpPort = await choosePort(portFrom(process.env, 'HTTP_PORT'), 'HTTP_PORT', [
    identity.httpPort,
    PREFERRED_PORT,
  ]);
  const [stack] = await Promise.all([
    upStack({ purpose: 'start', log: (line) => print(paint('dim', line)) }),
    buildConsoleIfStale(),
  ]);
  started.push(stack);
  const deadline = AbortSignal.any([AbortSignal.timeout(DEADLINE_MS), stopping.signal]);
  keepIdentity(stackDir(), identity);
  const env = {
    KAFKA_BROKERS: stack.kafkaBrokers.join(','),
    REDIS_URL: stack.redisUrl,
    JWT_SECRET: identity.jwtSecret,
    BOOTSTRAP_OID: identity.oid,
    BOOTSTRAP_API_KEY: identity.apiKey,
  };
  const url = await startRoles(env, identity.httpPort, deadline);

  const cast = makeCast();
  const config = readConfig({ ...process.env, ...env });
  const options = { oid: identity.oid, ...CAST, ratePerSecond: 0, cycle: false, shares: NO_MISHAPS };
  const fleet = await openFleet(config, options, pino({ level: 'silent' }));
  started.push(fleet);
  print(`${CAST.sensors} sensors, ${CAST.offline} of them offline\n`);

  const story = new Story({ url, identity, cast, fleet, print, paint, stopped: stopping.signal, deadline });
  await story.tell();
  if (stopping.signal.aborted) return 0;
  print(`\n${tallyText(story.tally.rows(), paint)}`);
  if (flags.exit) return story.tally.complete() ? 0 : 1;
  print(inviteText(url, identity, stack.kafkaBrokers, paint));
  print(paint('dim', 'Ctrl-C stops everything. What happens to tasks shows below.'));
  await untilStopped(stopping.signal);
  return 0;
}

/** Starts one process for each role and waits until all are ready. Answers the URL of the API. */
async function startRoles(env: Record<string, string>, apiPort: number, deadline: AbortSignal): Promise<string> {
  const logFolder = stackDir();
  const onRestart = (role: string, how: string) => print(paint('yellow', `${role} ended (${how}); starting it again`));
  const roles = await Promise.all(
    ROLES.map(async (role) => {
      const port = role === 'api' ? apiPort : await freePort();
      return new RoleProcess({ role, port, env, logFolder, onRestart });
    }),
  );
  started.push({ stop: async () => void (await Promise.all(roles.map((role) => role.stop()))) });
  for (const role of roles) role.start();
  await Promise.all(roles.map((role) => role.ready(deadline)));
  print(paint('dim', `Roles: ${ROLES.join(', ')}, one process each; logs in ${shortPath(join(logFolder, '*.log'))}`));
  return `http://127.0.0.1:${apiPort}`;
}

let exitCode = 1;
try {
  exitCode = await main();
} catch (error) {
  if (stopping.signal.aborted) exitCode = 0;
  else process.stderr.write(`${paint('red', 'error')}  ${error instanceof Error ? error.message : error}\n`);
  if (error instanceof StackSettingError) exitCode = EXIT.usage;
}
stopping.abort();
print(paint('dim', 'Stopping.'));
for (const part of started.reverse()) await part.stop().catch((error) => process.stderr.write(`${error}\n`));
process.exit(exitCode);
