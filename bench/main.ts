/**
 * npm run bench -- [NAME ...] [--quick] [--json] [sizes]: measures on a real stack, the one that the environment names
 * (KAFKA_BROKERS and REDIS_URL) or one of its own that leaves nothing behind. Standard output carries the result alone.
 */
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { painter, prettyJson, wantsColour } from '../src/cli/io.ts';
import { table } from '../src/cli/table.ts';
import { KAFKA_VERSION } from '../src/stack/local-kafka.ts';
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

const USAGE = `npm run bench -- [NAME ...] [--quick] [--json] [--profile FOLDER] ${NUMBERS.map((n) => `[--${n} N]`).join(' ')}

${Object.entries(BENCHES)
  .map(([name, { summary }]) => `  ${name.padEnd(11)}${summary}`)
  .join('\n')}

Without a name all of them. KAFKA_BROKERS and REDIS_URL name the stack; without them one is started and removed.
`;

type Arguments = { names: string[]; json: boolean; flags: Flags };

/** Throws a sentence for a name or a size that is none. Undefined: help was asked for. */
function readArguments(args: string[]): Arguments | undefined {
  const number = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      quick: { type: 'boolean' },
      json: { type: 'boolean' },
      profile: { type: 'string' },
      ...(Object.fromEntries(NUMBERS.map((name) => [name, number])) as Record<(typeof NUMBERS)[number], typeof number>),
    },
  });
  if (values.help) return undefined;
  const unknown = positionals.find((name) => !(name in BENCHES));
  if (unknown !== undefined)
    throw new Error(`There is no benchmark '${unknown}'. There are: ${Object.keys(BENCHES).join(', ')}.`);
  const flags: Flags = { quick: values.quick === true };
  for (const name of NUMBERS) {
    const text = values[name];
    if (text === undefined) continue;
    if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${name} takes a whole number from 1, not '${text}'.`);
    flags[name === 'rate' ? 'ratePerSecond' : name] = Number(text);
  }
  if (values.profile !== undefined) flags.profileFolder = values.profile;
  return { names: positionals.length > 0 ? positionals : Object.keys(BENCHES), json: values.json === true, flags };
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

try {
  const args = readArguments(process.argv.slice(2));
  if (args === undefined) process.stdout.write(USAGE);
  else await run(args, stopping.signal);
} catch (error) {
  process.stderr.write(`${stopping.signal.aborted ? 'Stopped.' : (error as Error).message}\n`);
  process.exitCode = stopping.signal.aborted ? 130 : 1;
}
