/** `stack`: Kafka and Redis on this machine, for development. Progress goes to standard error, the result to `out`. */
import type { Command } from 'commander';
import type { StackStatus } from '../../stack/command.ts';
import { EXIT } from '../codes.ts';
import { cliError, usageError } from '../errors.ts';
import { type Io, painter, prettyJson } from '../io.ts';
import { withExamples } from '../options.ts';
import { facts } from '../text/table.ts';

type Flags = { json?: boolean };

export function registerStack(program: Command, io: Io): void {
  const stack = program
    .command('stack')
    .summary('run Kafka and Redis on this machine')
    .description('Starts Kafka and Redis on this machine: in Docker if available, else as local processes.');
  withExamples(stack, io, [['stack up', 'start the stack and keep it running']]);
  const add = (name: string, summary: string, description: string, run: (flags: Flags) => Promise<void>) =>
    stack
      .command(name)
      .summary(summary)
      .description(description)
      .option('--json', 'print JSON for programs')
      .action(run);
  withExamples(
    add('up', 'start the stack and keep it running', 'Starts the stack. It runs until `stack down`.', (flags) =>
      up(flags, io),
    ),
    io,
    [['stack up', 'prints the addresses, as lines for your shell']],
  );
  withExamples(
    add('down', 'stop it', 'Stops the stack. The data is kept.', (flags) => down(flags, io)),
    io,
    [['stack down', 'stop it']],
  );
  withExamples(
    add(
      'status',
      'show whether the stack is running',
      `Shows whether the stack is running, and its addresses. The exit code is ${EXIT.unavailable} if it is not running.`,
      (flags) => status(flags, io),
    ),
    io,
    [
      ['stack status', 'for people'],
      ["stack status --json | jq -r '.redisUrl'", 'for programs'],
    ],
  );
}

const NEEDED =
  'Needed: Docker; or Java 17 or newer, with redis-server or valkey-server (Maven fetches Kafka once); ' +
  'or a running Kafka and Redis, set by KAFKA_BROKERS and REDIS_URL.';

const commands = () => import('../../stack/command.ts');

async function up(flags: Flags, io: Io): Promise<void> {
  const { up, StackInUse, StackSettingError } = await commands();
  try {
    print(await up((line) => io.err(`${line}\n`)), flags, io);
  } catch (error) {
    if (error instanceof StackSettingError) throw usageError(error.message);
    if (error instanceof StackInUse || !(error instanceof Error)) throw error;
    throw cliError('stack_unavailable', error.message, NEEDED);
  }
}

async function down(flags: Flags, io: Io): Promise<void> {
  const { down } = await commands();
  const wasUp = await down((line) => io.err(`${line}\n`));
  if (flags.json) io.out(prettyJson({ stopped: wasUp }));
  else if (!wasUp) io.err('No stack is running.\n');
}

async function status(flags: Flags, io: Io): Promise<void> {
  const { status } = await commands();
  const found = await status();
  print(found, flags, io);
  if (!found.up) {
    throw cliError('stack_down', 'The stack is not running.', `${io.name} stack up`);
  }
}

function print(found: StackStatus, flags: Flags, io: Io): void {
  if (flags.json) io.out(prettyJson(found));
  else if (found.up) io.out(stackText(found, io));
}

/** The last line can be pasted into a shell: `serve` and `fleet` read these variables. */
export function stackText(found: Extract<StackStatus, { up: true }>, io: Pick<Io, 'colour'>): string {
  const brokers = found.kafkaBrokers.join(',');
  const paint = painter(io.colour);
  const owner = found.owner === undefined ? 'until stack down' : `until process ${found.owner} ends`;
  const rows = [
    ['kafka', brokers],
    ['redis', found.redisUrl],
    ['runs', `${found.source}, ${owner}`],
  ] as const;
  return `${facts(rows, paint)}\nexport KAFKA_BROKERS=${brokers} REDIS_URL=${found.redisUrl}\n`;
}
