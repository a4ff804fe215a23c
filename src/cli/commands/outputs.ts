/** `outputs`: where what rules send out goes beside the topic. */
import { type Command, Option } from 'commander';
import { csv } from '../../text/csv.ts';
import type { ApiFlags } from '../api/settings.ts';
import { usageError } from '../errors.ts';
import { type Io, painter, prettyJson } from '../io.ts';
import { clientOf, type JsonFlag, type RowFlags, withApiOptions, withExamples, withRows } from '../options.ts';
import { table, visible } from '../text/table.ts';
import { timeText } from '../text/time.ts';

type Flags = ApiFlags & JsonFlag;
type ShownOutput = {
  type: string;
  url?: string;
  path?: string;
  /** Events given up since the output was set, in the last week. */
  undelivered?: number;
  last_failure?: { reason: string; at: number };
};
type SetFlags = Flags & { webhook?: string; header?: string[]; file?: string };

const collect = (text: string, before: string[] = []): string[] => [...before, text];

export function registerOutputs(program: Command, io: Io): void {
  const outputs = program
    .command('outputs')
    .summary('where outputs go')
    .description('Sends outputs of rules on to webhooks and files. Every output is on the topic, configured or not.');
  withExamples(outputs, io, [['outputs list', 'where outputs go']]);

  const list = outputs
    .command('list')
    .summary('list outputs')
    .description(
      'Lists where outputs go, the last failure of each, and how many events it was not given: those are dead letters. What headers hold is not shown.',
    );
  withRows(withApiOptions(list)).action((flags: ApiFlags & RowFlags) => listOutputs(flags, io));
  withExamples(list, io, [['outputs list', 'where outputs go']]);

  const set = outputs
    .command('set')
    .summary('send an output on')
    .description(
      'Sends an output on to a webhook, or to a file below the OUTPUT_DIR of the server, in a folder of the org.',
    )
    .argument('<name>', 'the output, as rules name it')
    .addOption(new Option('--webhook <url>', 'post each event there, as JSON').conflicts('file'))
    .option('--header <name: value>', 'a header for the webhook; may be repeated', collect)
    .option('--file <path>', 'append each event to this file, one a line');
  withApiOptions(set).action((name: string, flags: SetFlags) => setOutput(name, flags, io));
  withExamples(set, io, [
    ['outputs set tasks-output --webhook https://siem.example/hook --header "authorization: Bearer …"', 'to a webhook'],
    ['outputs set tasks-output --file answers.jsonl', 'to a file of the server'],
  ]);

  const remove = outputs
    .command('delete')
    .summary('end sending an output on')
    .description('Ends sending an output on.');
  withApiOptions(remove.argument('<name>', 'the output')).action((name: string, flags: Flags) =>
    removeOutput(name, flags, io),
  );
  withExamples(remove, io, [['outputs delete tasks-output', 'one output']]);
}

const place = (name: string): string => `/v1/orgs/{oid}/outputs/${encodeURIComponent(name)}`;

async function listOutputs(flags: ApiFlags & RowFlags, io: Io): Promise<void> {
  const answer = await clientOf(flags, io).call<{ outputs: Record<string, ShownOutput> }>(
    'GET',
    '/v1/orgs/{oid}/outputs',
  );
  const entries = Object.entries(answer.outputs);
  if (flags.json) io.out(prettyJson(answer));
  else if (flags.output === 'csv') io.out(csv(CSV_FIELDS, entries.map(csvRowOf)));
  else if (entries.length === 0) io.err('No output is sent on.\n');
  else io.out(table(['OUTPUT', 'TO', 'WHERE', 'UNDELIVERED', 'LAST FAILURE'], entries.map(rowOf), painter(io.colour)));
}

/** Times in Unix ms. */
const CSV_FIELDS = ['name', 'type', 'where', 'undelivered', 'last_failure_at', 'last_failure'];

const csvRowOf = ([name, { type, url, path, undelivered, last_failure: failure }]: [string, ShownOutput]) => [
  ...[name, type, url ?? path, undelivered, failure?.at, failure?.reason],
];

function rowOf([name, { type, url, path, undelivered, last_failure: failure }]: [string, ShownOutput]): string[] {
  const failed = failure === undefined ? '' : `${timeText(failure.at)} ${visible(failure.reason)}`;
  return [
    visible(name),
    type,
    visible(url ?? path ?? ''),
    undelivered === undefined ? '' : String(undelivered),
    failed,
  ];
}

async function setOutput(name: string, flags: SetFlags, io: Io): Promise<void> {
  const { webhook, file, header = [] } = flags;
  if (webhook === undefined && file === undefined)
    throw usageError('Where to is missing.', 'Give --webhook or --file.');
  const headers = Object.fromEntries(header.map(pairOf));
  await clientOf(flags, io).call('POST', place(name), {
    ...(webhook === undefined ? { type: 'file', path: file ?? '' } : { type: 'webhook', url: webhook }),
    ...(header.length === 0 ? {} : { headers: JSON.stringify(headers) }),
  });
  if (flags.json) io.out(prettyJson({ name }));
  else io.out(`output ${name} goes to ${webhook ?? file}\n`);
}

function pairOf(text: string): [string, string] {
  const colon = text.indexOf(':');
  if (colon < 1) throw usageError(`"${text}" is no header.`, 'Write it as "name: value".');
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}

async function removeOutput(name: string, flags: Flags, io: Io): Promise<void> {
  await clientOf(flags, io).call('DELETE', place(name));
  if (flags.json) io.out(prettyJson({ name }));
  else io.out(`output ${name} is no longer sent on\n`);
}
