/**
 * npm run bench -- [NAME ...] [--quick] [--json] [sizes]: measures on a real stack, the one that the environment names
 * (KAFKA_BROKERS and REDIS_URL) or one of its own that leaves nothing behind. Standard output carries the result alone.
 */
import { Redis } from 'ioredis';
import { askedOf, readFlags, WrongUse, wholeNumber } from '../scripts/flags.ts';
import { painter, prettyJson, wantsColour } from '../src/cli/io.ts';
import { table } from '../src/cli/text/table.ts';
import { KAFKA_VERSION } from '../src/stack/local/kafka.ts';
import type { Stack } from '../src/stack/source.ts';
import { upStack } from '../src/stack/stack.ts';
import type { Bench, Flags, Result, Section } from './bench.ts';
import { consoleBench } from './console.ts';
import { joinerBench } from './joiner.ts';
import { describeMachine, loadAverage, type Machine } from './machine.ts';
import { previewBench } from './preview.ts';
import { rebuildBench } from './rebuild.ts';
import { rulesBench } from './rules.ts';
import { selectorsBench } from './selectors.ts';

const BENCHES: Record<string, Bench> = {
  joiner: joinerBench,
  preview: previewBench,
  selectors: selectorsBench,
  rebuild: rebuildBench,
  rules: rulesBench,
  console: consoleBench,
};

const NUMBERS = ['orgs', 'tasks', 'sensors', 'connects', 'runs', 'rate', 'seconds'] as const;

const HELP = `npm run bench -- [NAME ...] [--quick] [--json] [--profile FOLDER] ${NUMBERS.map((n) => `[--${n} N]`).join(' ')}

${Object.entries(BENCHES)
  .map(([name, { summary }]) => `  ${name.padEnd(11)}${summary}`)
  .join('\n')}

Without a NAME it runs all benchmarks. KAFKA_BROKERS and REDIS_URL name the stack to use; without them it starts one and removes it at the end.

Examples:
  npm run bench -- joiner --quick
  npm run bench -- rebuild --tasks 50000 --json

Exit codes: 0 success, 1 failure, 2 usage error.
`;

const NUMBER_MAX = 999_999_999;

type Arguments = { names: string[]; json: boolean; flags: Flags };

/** Returns undefined for --help. */
function read(args: readonly string[]): Arguments | undefined {
  const text = { type: 'string' } as const;
  const { values, words, help } = readFlags(
    args,
    {
      quick: { type: 'boolean' },
      json: { type: 'boolean' },
      profile: text,
      ...(Object.fromEntries(NUMBERS.map((name) => [name, text])) as Record<(typeof NUMBERS)[number], typeof text>),
    },
    { words: true },
  );
  if (help) return undefined;
  const unknown = words.find((name) => !Object.hasOwn(BENCHES, name));
  if (unknown !== undefined)
    throw new WrongUse(`Unknown benchmark '${unknown}': choose from ${Object.keys(BENCHES).join(', ')}.`);
  const flags: Flags = { quick: values.quick === true };
  for (const name of NUMBERS) {
    const given = values[name];
    if (given === undefined) continue;
    flags[name === 'rate' ? 'ratePerSecond' : name] = wholeNumber(`--${name}`, given, 1, NUMBER_MAX);
  }
  if (values.profile !== undefined) flags.profileFolder = values.profile;
  return { names: words.length > 0 ? words : Object.keys(BENCHES), json: values.json === true, flags };
}

async function run({ names, json, flags }: Arguments, stopped: AbortSignal): Promise<void> {
  const note = (line: string) => process.stderr.write(`${line}\n`);
  const needed = names.some((name) => BENCHES[name]?.stackless !== true);
  const stack = needed ? await upStack({ purpose: 'test', log: note }) : undefined;
  try {
    const [kafka, redis] = stack ? [kafkaVersion(stack), await redisVersion(stack.redisUrl)] : ['not used', 'not used'];
    const machine = describeMachine({ kafka, redis });
    const results: Record<string, Result> = {};
    for (const name of names) {
      const { kafkaBrokers, redisUrl } = stack ?? { kafkaBrokers: [], redisUrl: '' };
      results[name] = await (BENCHES[name] as Bench).run({ kafkaBrokers, redisUrl, flags, note, stopped });
    }
    const whole = { ...machine, source: stack?.source ?? 'none', loadAverageAfter: loadAverage() };
    process.stdout.write(json ? jsonOf(whole, results) : textOf(whole, results));
  } finally {
    await stack?.stop();
  }
}

type Whole = Machine & { source: string; loadAverageAfter: number };

const jsonOf = (machine: Whole, results: Record<string, Result>): string =>
  prettyJson({ machine, ...Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data])) });

function textOf(machine: Whole, results: Record<string, Result>): string {
  const paint = painter(wantsColour(process.stdout.isTTY === true, process.env));
  const section = ({ title, headers, rows, notes }: Section) =>
    `\n${paint('bold', title)}\n${table(headers, rows, paint)}${notes.map((line) => `${line}\n`).join('')}`;
  const { cpu, cores, memoryGib, os, node, kafkajs, kafka, redis, source } = machine;
  return [
    `${cpu}, ${cores} cores, ${memoryGib} GiB, ${os}; load average ${machine.loadAverageBefore} before, ${machine.loadAverageAfter} after\n`,
    `Node ${node}, kafkajs ${kafkajs}, Kafka ${kafka}, Redis ${redis} (stack: ${source}, on the same machine unless it is elsewhere)\n`,
    ...Object.values(results).flatMap(({ sections }) => sections.map(section)),
  ].join('');
}

/** Kafka does not tell its version to clients. */
const kafkaVersion = ({ source }: Stack): string =>
  source === 'environment'
    ? (process.env.KAFKA_VERSION ?? 'of the environment (KAFKA_VERSION names it here)')
    : KAFKA_VERSION;

async function redisVersion(url: string): Promise<string> {
  const redis = new Redis(url);
  try {
    return /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? 'unknown';
  } finally {
    redis.disconnect();
  }
}

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping.signal.aborted) process.exit(130);
    stopping.abort();
  });
}

const asked = askedOf('npm run bench', HELP, read);
try {
  await run(asked, stopping.signal);
} catch (error) {
  process.stderr.write(`${stopping.signal.aborted ? 'Stopped.' : (error as Error).message}\n`);
  process.exitCode = stopping.signal.aborted ? 130 : 1;
}
