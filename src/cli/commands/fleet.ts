/** `fleet`: simulates sensors over Kafka until Ctrl-C. On a terminal, it prints statistics once a second. */

import type { Command } from 'commander';
import { FEW_MISHAPS, NO_MISHAPS } from '../../fleet/answer.ts';
import type { Fleet, FleetOptions, FleetStats } from '../../fleet/run.ts';
import { isName, isUuid } from '../../model/ids.ts';
import { counted } from '../../text/counted.ts';
import { usageError } from '../errors.ts';
import { type Io, json, type Paint, painter, untilStopped } from '../io.ts';
import { kafkaConfig, logTo } from '../kafka/kafka.ts';
import { wholeNumber, withExamples } from '../options.ts';
import { facts } from '../text/table.ts';

type Flags = {
  oid?: string;
  sensors: number;
  offline: number;
  rate?: number;
  seed: number;
  cycle?: boolean;
  sidForFirst?: string;
  mishaps: boolean;
  json?: boolean;
};

const SENSORS_MAX = 1_000_000;

export function registerFleet(program: Command, io: Io): void {
  const command = program
    .command('fleet')
    .summary('simulate sensors')
    .description(
      'Simulates sensors over Kafka (KAFKA_BROKERS). They connect, answer dispatches, and disconnect on Ctrl-C. ' +
        'A small share of the answers is late, repeated or an error. The same seed creates the same sensors.',
    )
    .option('--oid <uuid>', 'the org (RT_OID)')
    .option('--sensors <n>', 'how many', wholeNumber(1, SENSORS_MAX), 20)
    .option('--offline <n>', 'number of known sensors that stay offline', wholeNumber(0, SENSORS_MAX), 0)
    .option('--rate <n>', 'presence changes per second after all are connected (default: 0, with --cycle 1)', positive)
    .option('--seed <n>', 'seed of the simulation', wholeNumber(0, 2 ** 31), 1)
    .option('--cycle', 'offline sensors also connect and disconnect')
    .option('--sid-for-first <sid>', 'the sid of the first sensor')
    .option('--no-mishaps', 'every answer is immediate, unrepeated and successful')
    .option('--json', 'print JSON, one object per line: after the start and at the end')
    .action((flags: Flags) => simulate(optionsOf(flags, io), flags, io));
  withExamples(command, io, [
    ['fleet --sensors 50 --offline 10', 'fifty sensors, ten of them offline'],
    [
      'fleet --sensors 2000 --rate 100 --cycle --seed 7',
      'many sensors that connect and disconnect, the same in each run',
    ],
    ['fleet --sensors 1 --sid-for-first sensor-123-abc', 'one sensor with a given sid'],
  ]);
}

function positive(text: string): number {
  const value = /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 0)) throw usageError(`--rate must be a number from 0, not '${text}'.`);
  return value;
}

/** Throws a usage error if flags conflict. */
function optionsOf(flags: Flags, io: Io): FleetOptions {
  const oid = flags.oid ?? io.env.RT_OID ?? '';
  if (!isUuid(oid)) throw usageError('The org must be given as a UUID.', 'Use --oid, or set RT_OID.');
  if (flags.offline > flags.sensors) throw usageError('--offline is larger than --sensors.');
  if (flags.sidForFirst !== undefined && !isName(flags.sidForFirst)) {
    throw usageError(`'${flags.sidForFirst}' is not a sid.`, 'A sid has 1 to 128 characters of A-Z a-z 0-9 . _ : -');
  }
  return {
    oid,
    sensors: flags.sensors,
    offline: flags.offline,
    ratePerSecond: flags.rate ?? (flags.cycle ? 1 : 0),
    seed: flags.seed,
    cycle: flags.cycle === true,
    shares: flags.mishaps ? FEW_MISHAPS : NO_MISHAPS,
    firstSid: flags.sidForFirst,
  };
}

async function simulate(options: FleetOptions, flags: Flags, io: Io): Promise<void> {
  const config = kafkaConfig(io);
  const { openFleet } = await import('../../fleet/open.ts');
  const fleet = await openFleet(config, options, logTo(config.LOG_LEVEL === 'info' ? 'warn' : config.LOG_LEVEL));
  const paint = painter(io.colour);
  const online = options.sensors - options.offline;
  if (flags.json) io.out(json({ type: 'started', oid: options.oid, sensors: options.sensors, online }));
  else io.out(`${counted(options.sensors, 'sensor')}, ${online} online. ${paint('dim', 'Ctrl-C ends it.')}\n`);
  const stopShowing = io.terminal && !flags.json ? showNumbers(fleet, io) : () => {};
  await untilStopped(io.stopped);
  stopShowing();
  await fleet.stop();
  const stats = fleet.stats();
  io.out(flags.json ? json({ type: 'stopped', ...stats }) : statsText(stats, paint));
}

function showNumbers(fleet: Fleet, io: Io): () => void {
  const show = () => {
    const { online, heard, ran, answers } = fleet.stats();
    io.out(`\r\x1b[K${online} online, ${heard} heard, ${ran} ran, ${counted(answers, 'answer')}`);
  };
  const timer = setInterval(show, 1_000);
  return () => {
    clearInterval(timer);
    io.out('\r\x1b[K');
  };
}

function statsText(stats: FleetStats, paint: Paint): string {
  const ignored = Object.entries(stats.ignored).map(([why, count]) => `${count} ${why.replace('_', ' ')}`);
  return facts(
    [
      ['presence changes', String(stats.presenceChanges)],
      ['dispatches', String(stats.heard)],
      ['ignored', ignored.join(', ')],
      ['ran', String(stats.ran)],
      ['answers', `${stats.answers}, with an error ${stats.errors}`],
    ],
    paint,
  );
}
