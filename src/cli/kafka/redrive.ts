/**
 * Redrives dead letters: writes their records to the source topic again. A redriven record has a header with the id of the dead
 * letter, so the source topic shows what was redriven before. After an interrupted run, the next run redrives only the rest. Of two
 * concurrent runs, the later one fences off the earlier one and then sees its records. A record that fails again becomes a new
 * dead letter.
 */

import {
  type DeadLetterFilter,
  type DeadLetterRecord,
  deadLetterOf,
  hindrance,
  isWanted,
  REDRIVEN_FROM,
  redriven,
  textOf,
} from '../../operations/dead-letters.ts';
import { counted } from '../../text/counted.ts';
import type { TopicKey } from '../../topics.ts';
import { type CliError, cliError } from '../errors.ts';
import { type Io, painter, prettyJson } from '../io.ts';
import { table } from '../text/table.ts';
import type { Log } from './log.ts';

export type RedriveFlags = { yes?: boolean; again?: boolean; json?: boolean };

/** A run holds its records in memory. The next run redrives the rest. */
const DEAD_LETTERS_MAX = 20_000;
const BYTES_MAX = 256 * 1024 * 1024;
const PART = 500;
/** The name of the producer. Only one redrive can write at a time. */
const REDRIVE = 'redrive';
/** Tolerance for different clocks of the brokers and of the writer of the dead letter. */
const SLACK_MS = 60_000;

type Plan = { drive: DeadLetterRecord[]; done: DeadLetterRecord[]; hindered: DeadLetterRecord[]; left: number };

export async function redrive(log: Log, filter: DeadLetterFilter, flags: RedriveFlags, io: Io): Promise<void> {
  // Before anything is read, so that another run can write nothing from now on.
  const write = flags.yes ? await log.sole(REDRIVE) : null;
  const { deadLetters, left } = await collect(log, filter);
  const missing = filter.ids?.find((id) => !deadLetters.some((deadLetter) => deadLetter.id === id));
  if (missing !== undefined)
    throw cliError('not_found', `No dead letter has the id ${missing}.`, 'See {rt} dead-letter list.');
  const before = flags.again ? new Set<string>() : await redrivenBefore(log, deadLetters);
  const plan: Plan = {
    drive: deadLetters.filter((deadLetter) => hindrance(deadLetter) === null && !before.has(deadLetter.id)),
    done: deadLetters.filter(({ id }) => before.has(id)),
    hindered: deadLetters.filter((deadLetter) => hindrance(deadLetter) !== null),
    left,
  };
  refuseNamed(plan, filter);
  const written = write === null ? 0 : await drive(write, plan.drive, io);
  if (flags.json) io.out(prettyJson(asJson(plan, flags, written)));
  else tell(plan, flags, io);
}

async function collect(log: Log, filter: DeadLetterFilter): Promise<{ deadLetters: DeadLetterRecord[]; left: number }> {
  const deadLetters: DeadLetterRecord[] = [];
  let [bytes, left] = [0, 0];
  await log.read('deadLetter', 'beginning', (records) => {
    for (const record of records) {
      const deadLetter = deadLetterOf(record, log.config.KAFKA_TOPIC_PREFIX);
      if (deadLetter === null || !isWanted(deadLetter, filter)) continue;
      bytes += record.value?.length ?? 0;
      if (deadLetters.length < DEAD_LETTERS_MAX && bytes < BYTES_MAX) deadLetters.push(deadLetter);
      else left += 1;
    }
  });
  return { deadLetters, left };
}

/** Ids of dead letters whose record was written to its topic again. Such a record is never older than the dead letter. */
async function redrivenBefore(log: Log, deadLetters: readonly DeadLetterRecord[]): Promise<Set<string>> {
  const found = new Set<string>();
  const topics = Map.groupBy(
    deadLetters.filter((deadLetter) => hindrance(deadLetter) === null),
    ({ topicKey }) => topicKey as TopicKey,
  );
  for (const [topic, ours] of topics) {
    const oldestMs = ours.reduce((least, { record }) => Math.min(least, record.timestampMs), Number.POSITIVE_INFINITY);
    const from = await log.since(topic, oldestMs - SLACK_MS);
    await log.read(topic, from, (records) => {
      for (const { headers } of records) if (headers[REDRIVEN_FROM]) found.add(textOf(headers[REDRIVEN_FROM]));
    });
  }
  return found;
}

/** Dead letters that are given by id are redriven all, or none. */
function refuseNamed({ done, hindered }: Plan, { ids }: DeadLetterFilter): void {
  if (ids === undefined) return;
  const [again, stuck] = [done[0], hindered[0]];
  if (again)
    throw cliError(
      'already_redriven',
      `Dead letter ${again.id} was redriven before.`,
      'Use --again to redrive it once more.',
    );
  if (stuck) throw cliError('not_redrivable', `Dead letter ${stuck.id}: ${hindrance(stuck)}`);
}

async function drive(
  write: Awaited<ReturnType<Log['sole']>>,
  deadLetters: readonly DeadLetterRecord[],
  io: Io,
): Promise<number> {
  let written = 0;
  for (let at = 0; at < deadLetters.length && !io.stopped.aborted; at += PART) {
    const part = deadLetters.slice(at, at + PART);
    const byTopic = Map.groupBy(part, ({ topicKey }) => topicKey as TopicKey);
    await write(new Map([...byTopic].map(([topic, ours]) => [topic, ours.map(redriven)]))).catch((error: unknown) => {
      throw (error as Error).name === 'Overtaken' ? overtaken(written, deadLetters.length) : error;
    });
    written += part.length;
    if (io.errTerminal)
      io.err(`\r\x1b[K${written} of ${deadLetters.length}${written === deadLetters.length ? '\n' : ''}`);
  }
  if (written < deadLetters.length)
    throw cliError(
      'stopped',
      `Stopped after ${written} of ${counted(deadLetters.length, 'dead letter')}.`,
      'Run it again. It skips the redriven ones.',
    );
  return written;
}

const overtaken = (written: number, of: number): CliError =>
  cliError(
    'redrive_overtaken',
    `Another redrive took over after ${written} of ${counted(of, 'dead letter')}.`,
    'It redrives the rest if it selects the same dead letters.',
  );

const asJson = ({ drive: wanted, done, hindered, left }: Plan, { yes }: RedriveFlags, written: number) => ({
  dry_run: yes !== true,
  redriven: written,
  letters: wanted.map(({ id, topic, code }) => ({ letter: id, topic, code })),
  redriven_before: done.map(({ id }) => id),
  not_redrivable: hindered.map(({ id }) => id),
  left,
});

function tell({ drive: wanted, done, hindered, left }: Plan, { yes }: RedriveFlags, io: Io): void {
  const groups = Map.groupBy(wanted, ({ topic, code }) => `${topic}\n${code}`);
  const rows = [...groups].map(([name, deadLetters]) => [...name.split('\n'), String(deadLetters.length)]);
  if (rows.length > 0) io.out(table(['TO', 'CODE', yes ? 'REDRIVEN' : 'WOULD GO'], rows, painter(io.colour)));
  else io.out('Nothing to redrive.\n');
  if (done.length > 0) io.err(`Skipped: ${counted(done.length, 'dead letter')} redriven before (--again).\n`);
  if (hindered.length > 0)
    io.err(
      `Skipped: ${counted(hindered.length, 'dead letter')} that cannot be redriven. See ${io.name} dead-letter show ID.\n`,
    );
  if (left > 0) io.err(`Left: ${counted(left, 'dead letter')}. Run it again.\n`);
  if (!yes && rows.length > 0) io.err('Nothing was written. Confirm with --yes.\n');
}
