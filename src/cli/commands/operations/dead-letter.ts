/** `dead-letter list|show|redrive`: refused records, why they were refused, and their redrive. */

import { type Command, Option } from 'commander';
import {
  type DeadLetterFilter,
  type DeadLetterRecord,
  deadLetterOf,
  hindrance,
  isWanted,
  textOf,
} from '../../../operations/dead-letters.ts';
import { counted } from '../../../text/counted.ts';
import { csv } from '../../../text/csv.ts';
import { hexDump } from '../../../text/hex.ts';
import { TOPICS } from '../../../topics.ts';
import { cliError, usageError } from '../../errors.ts';
import { type Io, painter, prettyJson } from '../../io.ts';
import { type Log, withLog } from '../../kafka/log.ts';
import { redrive } from '../../kafka/redrive.ts';
import { durationOption, type RowFlags, wholeNumber, withExamples, withRows } from '../../options.ts';
import { clip, facts, table, visible } from '../../text/table.ts';
import { timeText } from '../../text/time.ts';

export type SelectFlags = { topic?: string; code?: string; since?: number };
type ListFlags = SelectFlags & RowFlags & { limit: number };

const VALUE_SHOWN_BYTES = 1_024;

export function registerDeadLetter(program: Command, io: Io): void {
  const deadLetters = program
    .command('dead-letter')
    .summary('list, show and redrive dead letters')
    .description('Lists and shows refused records, and writes them to their topic again (KAFKA_BROKERS).');
  withExamples(deadLetters, io, [['dead-letter list', 'the latest dead letters']]);
  registerListing(deadLetters, io);
  registerRedrive(deadLetters, io);
}

const withSelection = (command: Command): Command =>
  command
    .option('--topic <name>', 'only records of this source topic, with or without the prefix')
    .option('--code <code>', 'only records with this error code')
    .option('--since <duration>', 'only records that failed within this time', durationOption);

function registerListing(deadLetters: Command, io: Io): void {
  const list = withSelection(deadLetters.command('list').summary('list the latest dead letters'))
    .description('Lists the latest dead letters, newest last.')
    .option('--limit <n>', 'at most so many', wholeNumber(1, 100_000), 50)
    .option('--json', 'print JSON for programs');
  withRows(list).action((flags: ListFlags) => withLog(io, (log) => showList(log, flags, io)));
  withExamples(list, io, [
    ['dead-letter list --since 1d --code org_unknown', 'of the last day, for one reason'],
    ['dead-letter list --topic task-commands --json', 'for programs'],
  ]);
  const show = deadLetters
    .command('show <id>')
    .summary('show one dead letter')
    .description('Shows a dead letter: the error, the headers, the record as far as it can be decoded, and its bytes.')
    .option('--json', 'print JSON for programs')
    .action((id: string, flags: { json?: boolean }) => withLog(io, (log) => showOne(log, id, flags, io)));
  withExamples(show, io, [['dead-letter show 3:17', 'the dead letter at partition 3, offset 17']]);
}

function registerRedrive(deadLetters: Command, io: Io): void {
  const command = withSelection(
    deadLetters.command('redrive [ids...]').summary('write refused records to their topic again'),
  )
    .description(
      'Writes refused records to their source topic again, with the same key, value and headers, and a header with the id of the dead letter. ' +
        'Without --yes, it only shows what it would do. It skips dead letters that were redriven before.',
    )
    .addOption(new Option('--all', 'all of them').conflicts(['topic', 'code', 'since']))
    .option('--yes', 'do it')
    .option('--again', 'include dead letters that were redriven before')
    .option('--json', 'print JSON for programs')
    .action((ids: string[], flags) => withLog(io, (log) => redrive(log, selectionOf(ids, flags, io), flags, io)));
  withExamples(command, io, [
    ['dead-letter redrive 3:17 --yes', 'one dead letter'],
    ['dead-letter redrive --code org_unknown', 'show what it would do'],
    ['dead-letter redrive --topic task-commands --since 2h --yes', 'all of the last two hours'],
  ]);
}

/** Throws a usage error if neither or both of ids and a filter are given. */
function selectionOf(ids: string[], flags: SelectFlags & { all?: boolean }, io: Io): DeadLetterFilter {
  const filter = filterOf(flags, io);
  const named = Object.keys(filter).length > 0 || flags.all === true;
  if (ids.length === 0 && !named)
    throw usageError('No dead letter is selected.', 'Give ids (3:17), or use --code, --topic, --since or --all.');
  if (ids.length > 0 && named) throw usageError('Give ids, or use --code, --topic, --since or --all, but not both.');
  return ids.length > 0 ? { ids: ids.map(checkId) } : filter;
}

function checkId(id: string): string {
  if (!/^\d{1,6}:\d{1,15}$/.test(id))
    throw usageError(
      `'${id}' is not the id of a dead letter.`,
      'The id is partition:offset on dead-letter, like 3:17.',
    );
  return id;
}

export const filterOf = ({ topic, code, since }: SelectFlags, io: Io): DeadLetterFilter => ({
  ...(topic === undefined ? {} : { topic }),
  ...(code === undefined ? {} : { code }),
  ...(since === undefined ? {} : { sinceMs: io.nowMs() - since * 1_000 }),
});

/** The newest `limit` dead letters that match the filter, oldest first, and the total number of matches. */
async function newest(
  log: Log,
  filter: DeadLetterFilter,
  limit: number,
): Promise<{ deadLetters: DeadLetterRecord[]; total: number }> {
  let deadLetters: DeadLetterRecord[] = [];
  let total = 0;
  const cut = () => {
    deadLetters = deadLetters.toSorted((a, b) => a.failedAtMs - b.failedAtMs).slice(-limit);
  };
  await log.read('deadLetter', 'beginning', (records) => {
    for (const record of records) {
      const deadLetter = deadLetterOf(record, log.config.KAFKA_TOPIC_PREFIX);
      if (deadLetter === null || !isWanted(deadLetter, filter)) continue;
      total += 1;
      deadLetters.push(deadLetter);
    }
    if (deadLetters.length > 2 * limit) cut();
  });
  cut();
  return { deadLetters, total };
}

/** Times in Unix ms. */
const CSV_FIELDS = ['letter', 'failed_at', 'topic', 'partition', 'offset', 'code', 'key', 'message'];

const csvRowOf = ({ id, failedAtMs, topic, partition, offset, code, record, message }: DeadLetterRecord) => [
  ...[id, failedAtMs, topic, partition, offset, code, record.key?.toString(), message],
];

async function showList(log: Log, flags: ListFlags, io: Io): Promise<void> {
  const { deadLetters, total } = await newest(log, filterOf(flags, io), flags.limit);
  if (flags.json) {
    io.out(prettyJson({ letters: deadLetters.map(toJson), total }));
    return;
  }
  if (flags.output === 'csv') {
    io.out(csv(CSV_FIELDS, deadLetters.map(csvRowOf)));
    return;
  }
  if (deadLetters.length === 0) {
    io.err('No dead letters.\n');
    return;
  }
  const paint = painter(io.colour);
  const rows = deadLetters.map((deadLetter) => [
    deadLetter.id,
    timeText(deadLetter.failedAtMs),
    `${deadLetter.topic} ${deadLetter.partition}:${deadLetter.offset}`,
    deadLetter.code,
    clip(deadLetter.record.key?.toString() ?? '', 36),
    clip(deadLetter.message, Math.max(io.columns - 120, 30)),
  ]);
  io.out(table(['ID', 'FAILED', 'FROM', 'CODE', 'KEY', 'WHY'], rows, paint));
  if (total > deadLetters.length)
    io.err(`Not shown: ${counted(total - deadLetters.length, 'older dead letter')} (--limit).\n`);
}

async function showOne(log: Log, id: string, flags: { json?: boolean }, io: Io): Promise<void> {
  const { deadLetters } = await newest(log, { ids: [checkId(id)] }, 1);
  const deadLetter = deadLetters[0];
  if (deadLetter === undefined)
    throw cliError('not_found', `No dead letter has the id ${id}.`, 'See {rt} dead-letter list.');
  const { record, why } = await decoded(log, deadLetter);
  const { value, headers } = deadLetter.record;
  if (flags.json) {
    const own = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, textOf(text)]));
    io.out(
      prettyJson({
        ...toJson(deadLetter),
        headers: own,
        record,
        undecodable: why,
        value: value?.toString('base64') ?? null,
      }),
    );
    return;
  }
  const paint = painter(io.colour);
  const rows: [string, string][] = [
    ['id', deadLetter.id],
    ['failed', timeText(deadLetter.failedAtMs)],
    ['from', `${deadLetter.topic} ${deadLetter.partition}:${deadLetter.offset}`],
    ['code', deadLetter.code],
    ['why', visible(deadLetter.message)],
    ['key', visible(deadLetter.record.key?.toString() ?? 'none')],
    ['redriven from', deadLetter.redrivenFrom ?? ''],
    ['cannot be redriven', hindrance(deadLetter) ?? ''],
  ];
  io.out(
    facts(
      rows.filter(([, text]) => text !== ''),
      paint,
    ),
  );
  for (const [name, text] of Object.entries(headers))
    io.out(`${paint('dim', 'header')}  ${name}: ${visible(textOf(text))}\n`);
  io.out(record === null ? `\n${paint('yellow', `No record: ${why}`)}\n` : `\n${prettyJson(record)}`);
  io.out(value === null ? 'no value\n' : `\n${hexDump(value, VALUE_SHOWN_BYTES)}`);
}

/** The decoded record, or the reason why it cannot be decoded. */
async function decoded(
  { codec }: Log,
  { topicKey, record }: DeadLetterRecord,
): Promise<{ record: object | null; why: string | null }> {
  const name = topicKey === null ? null : TOPICS[topicKey].record;
  if (name === null) return { record: null, why: 'its topic is unknown' };
  if (record.value === null) return { record: null, why: 'it has no value' };
  try {
    await codec.resolve([record.value]);
    return { record: codec.decode(name, record.value), why: null };
  } catch (error) {
    return { record: null, why: (error as Error).message };
  }
}

export const toJson = ({
  id,
  topic,
  partition,
  offset,
  code,
  message,
  failedAtMs,
  redrivenFrom,
  record,
}: DeadLetterRecord) => ({
  letter: id,
  source: { topic, partition, offset },
  code,
  message,
  failed_at: failedAtMs,
  key: record.key?.toString() ?? null,
  redriven_from: redrivenFrom,
});
