/** `outputs`: configures where the outputs of rules are sent. */
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
  /** Dropped events since the output was set, in the last week. */
  undelivered?: number;
  last_failure?: { reason: string; at: number };
};
type SetFlags = Flags & { webhook?: string; header?: string[]; file?: string };

const collect = (text: string, before: string[] = []): string[] => [...before, text];

export function registerOutputs(program: Command, io: Io): void {
  const outputs = program
    .command('outputs')
    .summary('configure where outputs are sent')
    .description(
      'Configures webhooks and files for the outputs of rules. The topic `outputs` has all outputs, configured or not.',
    );
  withExamples(outputs, io, [['outputs list', 'all configured outputs']]);

  const list = outputs
    .command('list')
    .summary('list outputs')
    .description(
      'Lists the configured outputs with the last failure and the number of undelivered events. Undelivered events are dead letters. Header values are not shown.',
    );
  withRows(withApiOptions(list)).action((flags: ApiFlags & RowFlags) => listOutputs(flags, io));
  withExamples(list, io, [['outputs list', 'all configured outputs']]);

  const set = outputs
    .command('set')
    .summary('send an output on')
    .description('Sends an output to a webhook, or to a file in the folder of the org under OUTPUT_DIR of the server.')
    .argument('<name>', 'the output, as rules name it')
    .addOption(new Option('--webhook <url>', 'post each event to this URL, as JSON').conflicts('file'))
    .option('--header <name: value>', 'a header for the webhook; repeatable', collect)
    .option('--file <path>', 'append each event to this file, one per line');
  withApiOptions(set).action((name: string, flags: SetFlags) => setOutput(name, flags, io));
  withExamples(set, io, [
    ['outputs set tasks-output --webhook https://siem.example/hook --header "authorization: Bearer …"', 'to a webhook'],
    ['outputs set tasks-output --file answers.jsonl', 'to a file on the server'],
  ]);

  const remove = outputs
    .command('delete')
    .summary('stop sending an output')
    .description('Stops sending an output to its webhook or file.');
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
  else if (entries.length === 0) io.err('No outputs are configured.\n');
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
    throw usageError('The destination is missing.', 'Give --webhook or --file.');
  const headers = Object.fromEntries(header.map(pairOf));
  await clientOf(flags, io).call('POST', place(name), {
    ...(webhook === undefined ? { type: 'file', path: file ?? '' } : { type: 'webhook', url: webhook }),
    ...(header.length === 0 ? {} : { headers: JSON.stringify(headers) }),
  });
  if (flags.json) io.out(prettyJson({ name }));
  else io.out(`output ${name} is sent to ${webhook ?? file}\n`);
}

function pairOf(text: string): [string, string] {
  const colon = text.indexOf(':');
  if (colon < 1) throw usageError(`"${text}" is not a header.`, 'Write "name: value".');
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}

async function removeOutput(name: string, flags: Flags, io: Io): Promise<void> {
  await clientOf(flags, io).call('DELETE', place(name));
  if (flags.json) io.out(prettyJson({ name }));
  else io.out(`output ${name} is no longer sent\n`);
}
