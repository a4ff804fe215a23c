/** `results`: the responses of the sensors of a task. */
import { type Command, Option } from 'commander';
import type { ResultRow, ResultsAnswer } from '../../api/answers.ts';
import type { ApiFlags } from '../../api/settings.ts';
import { type Io, painter, prettyJson } from '../../io.ts';
import { clientOf, type JsonFlag, wholeNumber, withApiOptions, withExamples } from '../../options.ts';
import { clip, table, visible } from '../../text/table.ts';
import { timeText } from '../../text/time.ts';
import { STATE_STYLES } from './show.ts';

type Flags = ApiFlags & JsonFlag & { sid?: string; output?: 'table' | 'csv' | 'jsonl'; limit: number; cursor?: string };

const SENSORS_SHOWN = 50;

export function registerResults(program: Command, io: Io): void {
  const command = program
    .command('results')
    .summary('show the responses of sensors')
    .description(
      'Shows the responses of the sensors of a task. A table has one page of sensors with their first responses. JSON Lines and CSV have ' +
        'all responses of all sensors, one per line.',
    )
    .argument('<task-id>', 'the task');
  withApiOptions(command)
    .addOption(new Option('--output <format>', 'output format').choices(['table', 'csv', 'jsonl']).conflicts(['json']))
    .option('--sid <sid>', 'only this sensor')
    .addOption(
      new Option('--limit <n>', 'maximum number of sensors per page')
        .argParser(wholeNumber(1, 1_000))
        .default(SENSORS_SHOWN),
    )
    .option('--cursor <cursor>', 'continue from the cursor of an earlier page')
    .action((taskId: string, flags: Flags) => results(taskId, flags, io));
  withExamples(command, io, [
    ['results 5a0e6b1c-3a52-4c0e-9f5e-0c9d4b1f7a10', 'sensors with their first responses'],
    ['results 5a0e6b1c-3a52-4c0e-9f5e-0c9d4b1f7a10 --output csv > results.csv', 'all responses, for a spreadsheet'],
    [
      "results 5a0e6b1c-3a52-4c0e-9f5e-0c9d4b1f7a10 --output jsonl | jq -r '[.hostname, .response.event.STDOUT] | @tsv'",
      'for programs',
    ],
  ]);
}

async function results(taskId: string, flags: Flags, io: Io): Promise<void> {
  const client = clientOf(flags, io);
  const path = `/v1/orgs/{oid}/tasks/${encodeURIComponent(taskId)}/results`;
  const query = new URLSearchParams(flags.sid === undefined ? {} : { sid: flags.sid });
  if (flags.output === 'csv' || flags.output === 'jsonl') {
    query.set('format', flags.output);
    for await (const text of client.text(`${path}?${query}`)) io.out(text);
    return;
  }
  query.set('limit', String(flags.limit));
  if (flags.cursor !== undefined) query.set('cursor', flags.cursor);
  const page = await client.call<ResultsAnswer>('GET', `${path}?${query}`);
  if (flags.json) {
    io.out(prettyJson(page));
    return;
  }
  if (page.sensors.length === 0) io.err('No sensors.\n');
  else io.out(resultsTable(page.sensors, io));
  if (page.sensors.some(({ responses, response_count }) => responses.length < response_count))
    io.err('Sensors have more responses: add --output jsonl\n');
  if (!page.complete) io.err('Only the first 10000 responses of the task are kept.\n');
  if (page.next_cursor) io.err(`More sensors: add --cursor ${page.next_cursor}\n`);
}

const BODY_WORDS: Readonly<Record<string, string>> = {
  gone: 'no longer kept',
  too_large: 'larger than 1 MiB',
  too_deep: 'nested more than 64 levels deep',
};

function resultsTable(sensors: readonly ResultRow[], io: Io): string {
  const paint = painter(io.colour);
  const wide = Math.max(24, io.columns - 110);
  const rows = sensors.flatMap((sensor) => {
    const head = [
      visible(sensor.sid),
      clip(sensor.hostname, 24),
      paint(STATE_STYLES[sensor.state] ?? 'bold', sensor.state),
    ];
    if (sensor.responses.length === 0) return [[...head, '', '', paint('dim', clip(sensor.reason, wide))]];
    return sensor.responses.map(({ event_type, at, body, event }, i) => [
      ...(i === 0 ? head : ['', '', '']),
      clip(event_type, 24),
      timeText(at),
      body === 'kept' ? clip(JSON.stringify(event), wide) : paint('dim', BODY_WORDS[body] ?? body),
    ]);
  });
  return table(['SENSOR', 'HOSTNAME', 'STATE', 'EVENT', 'AT', 'RESPONSE'], rows, paint);
}
