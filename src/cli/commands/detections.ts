/** `detections list`: lists detections. */
import type { Command } from 'commander';
import type { ShownDetection } from '../../api/events/recent-detections.ts';
import { csvOf } from '../../text/csv.ts';
import type { ApiFlags } from '../api/settings.ts';
import { type Io, painter, prettyJson } from '../io.ts';
import { clientOf, type RowFlags, wholeNumber, withApiOptions, withExamples, withRows } from '../options.ts';
import { clip, table } from '../text/table.ts';
import { timeText } from '../text/time.ts';

type Flags = ApiFlags & RowFlags & { limit: number; cat?: string; sid?: string };

const CAT_WIDTH = 50;
/** Times in Unix ms. */
const CSV_FIELDS = ['detect_id', 'occurred_at', 'cat', 'sid', 'source', 'priority'] as const;

export function registerDetections(program: Command, io: Io): void {
  const detections = program
    .command('detections')
    .summary('list detections')
    .description('Lists detections: the reports of rules.');
  withExamples(detections, io, [['detections list', 'the newest']]);
  const list = detections
    .command('list')
    .summary('list detections')
    .description(
      'Lists the detections of the last 7 days, newest first. The server keeps at most the last 1,000 of an org.',
    );
  withRows(withApiOptions(list))
    .option('--limit <n>', 'at most so many', wholeNumber(1, 1_000), 50)
    .option('--cat <name>', 'only detections of this name')
    .option('--sid <sid>', 'only this sensor')
    .action((flags: Flags) => listDetections(flags, io));
  withExamples(list, io, [
    ['detections list --limit 10', 'the last ten'],
    ["detections list --json | jq -r '.detections[].body.detect.routing.hostname'", 'for programs'],
  ]);
}

async function listDetections(flags: Flags, io: Io): Promise<void> {
  const query = new URLSearchParams({ limit: String(flags.limit) });
  if (flags.cat !== undefined) query.set('cat', flags.cat);
  if (flags.sid !== undefined) query.set('sid', flags.sid);
  const answer = await clientOf(flags, io).call<{ detections: ShownDetection[] }>(
    'GET',
    `/v1/orgs/{oid}/detections?${query}`,
  );
  if (flags.json) io.out(prettyJson(answer));
  else if (flags.output === 'csv') io.out(csvOf(CSV_FIELDS, answer.detections));
  else if (answer.detections.length === 0) io.err('No detections in the last 7 days.\n');
  else
    io.out(
      table(
        ['WHEN', 'REPORT', 'SENSOR', 'SOURCE'],
        answer.detections.map((one) => [
          timeText(one.occurred_at),
          clip(one.cat, CAT_WIDTH),
          one.sid ?? '',
          one.source,
        ]),
        painter(io.colour),
      ),
    );
}
