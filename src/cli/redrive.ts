/**
 * Drives dead letters to their topics again. What was redriven before is found on the source topics themselves, by the header
 * that names the letter: so a run that was cut off can be run again, and only the rest goes out. Of two runs at
 * the same time the later one ends the earlier, then sees what that has written. A record that fails once more comes back as
 * a letter of its own.
 */

import { counted } from '../counted.ts';
import {
  hindrance,
  isWanted,
  type Letter,
  type LetterFilter,
  letterOf,
  REDRIVEN_FROM,
  redriven,
  textOf,
} from '../operations/letters.ts';
import type { TopicKey } from '../topics.ts';
import { type CliError, cliError } from './errors.ts';
import { type Io, painter, prettyJson } from './io.ts';
import type { Log } from './log.ts';
import { table } from './table.ts';

export type RedriveFlags = { yes?: boolean; again?: boolean; json?: boolean };

/** A run holds what it drives in memory: the rest is left for the next one. */
const LETTERS_MAX = 20_000;
const BYTES_MAX = 256 * 1024 * 1024;
const PART = 500;
/** Of the writer, of which there is one at a time. */
const REDRIVE = 'redrive';
/** Clocks of brokers and of who wrote the letter differ. */
const SLACK_MS = 60_000;

type Plan = { drive: Letter[]; done: Letter[]; hindered: Letter[]; left: number };

export async function redrive(log: Log, filter: LetterFilter, flags: RedriveFlags, io: Io): Promise<void> {
  // Before anything is read: what another run writes from now on does not count.
  const write = flags.yes ? await log.sole(REDRIVE) : null;
  const { letters, left } = await collect(log, filter);
  const missing = filter.ids?.find((id) => !letters.some((letter) => letter.id === id));
  if (missing !== undefined)
    throw cliError('not_found', `There is no dead letter ${missing}.`, 'See {rt} dead-letter list.');
  const before = flags.again ? new Set<string>() : await redrivenBefore(log, letters);
  const plan: Plan = {
    drive: letters.filter((letter) => hindrance(letter) === null && !before.has(letter.id)),
    done: letters.filter(({ id }) => before.has(id)),
    hindered: letters.filter((letter) => hindrance(letter) !== null),
    left,
  };
  refuseNamed(plan, filter);
  const written = write === null ? 0 : await drive(write, plan.drive, io);
  if (flags.json) io.out(prettyJson(asJson(plan, flags, written)));
  else tell(plan, flags, io);
}

async function collect(log: Log, filter: LetterFilter): Promise<{ letters: Letter[]; left: number }> {
  const letters: Letter[] = [];
  let [bytes, left] = [0, 0];
  await log.read('deadLetter', 'beginning', (records) => {
    for (const record of records) {
      const letter = letterOf(record, log.config.KAFKA_TOPIC_PREFIX);
      if (letter === null || !isWanted(letter, filter)) continue;
      bytes += record.value?.length ?? 0;
      if (letters.length < LETTERS_MAX && bytes < BYTES_MAX) letters.push(letter);
      else left += 1;
    }
  });
  return { letters, left };
}

/** Ids of letters whose record stands on its topic again. Nothing of them can be older than the letter. */
async function redrivenBefore(log: Log, letters: readonly Letter[]): Promise<Set<string>> {
  const found = new Set<string>();
  const topics = Map.groupBy(
    letters.filter((letter) => hindrance(letter) === null),
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

/** Letters that were named one by one are driven all, or none. */
function refuseNamed({ done, hindered }: Plan, { ids }: LetterFilter): void {
  if (ids === undefined) return;
  const [again, stuck] = [done[0], hindered[0]];
  if (again)
    throw cliError(
      'already_redriven',
      `Letter ${again.id} was redriven before.`,
      'With --again it goes out once more.',
    );
  if (stuck) throw cliError('not_redrivable', `Letter ${stuck.id}: ${hindrance(stuck)}`);
}

async function drive(write: Awaited<ReturnType<Log['sole']>>, letters: readonly Letter[], io: Io): Promise<number> {
  let written = 0;
  for (let at = 0; at < letters.length && !io.stopped.aborted; at += PART) {
    const part = letters.slice(at, at + PART);
    const byTopic = Map.groupBy(part, ({ topicKey }) => topicKey as TopicKey);
    await write(new Map([...byTopic].map(([topic, ours]) => [topic, ours.map(redriven)]))).catch((error: unknown) => {
      throw (error as Error).name === 'Overtaken' ? overtaken(written, letters.length) : error;
    });
    written += part.length;
    if (io.errTerminal) io.err(`\r\x1b[K${written} of ${letters.length}${written === letters.length ? '\n' : ''}`);
  }
  if (written < letters.length)
    throw cliError(
      'stopped',
      `Stopped after ${written} of ${counted(letters.length, 'letter')}.`,
      'Run it again: those that went out are passed over.',
    );
  return written;
}

const overtaken = (written: number, of: number): CliError =>
  cliError(
    'redrive_overtaken',
    `Another redrive has taken over after ${written} of ${counted(of, 'letter')}.`,
    'It does the rest, if it was asked for the same letters.',
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
  const rows = [...groups].map(([name, letters]) => [...name.split('\n'), String(letters.length)]);
  if (rows.length > 0) io.out(table(['TO', 'CODE', yes ? 'REDRIVEN' : 'WOULD GO'], rows, painter(io.colour)));
  else io.out('Nothing to redrive.\n');
  if (done.length > 0) io.err(`Skipped: ${counted(done.length, 'letter')} redriven before (--again).\n`);
  if (hindered.length > 0)
    io.err(
      `Skipped: ${counted(hindered.length, 'letter')} that cannot be redriven. See ${io.name} dead-letter show LETTER.\n`,
    );
  if (left > 0) io.err(`Left: ${counted(left, 'letter')}. Run it again.\n`);
  if (!yes && rows.length > 0) io.err('Nothing was written. Do it with --yes.\n');
}
