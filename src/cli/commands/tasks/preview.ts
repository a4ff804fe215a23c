/** `preview`: lists the sensors that a selector matches now, and the clauses that exclude the others. */
import type { Command } from 'commander';
import { counted } from '../../../text/counted.ts';
import { csv } from '../../../text/csv.ts';
import type { PreviewAnswer } from '../../api/answers.ts';
import type { ApiFlags } from '../../api/settings.ts';
import { usageError } from '../../errors.ts';
import { type Io, type Paint, painter, prettyJson } from '../../io.ts';
import {
  clientOf,
  type RowFlags,
  type TargetFlags,
  targetOf,
  wholeNumber,
  withApiOptions,
  withExamples,
  withRows,
  withTarget,
} from '../../options.ts';
import { clip, table } from '../../text/table.ts';

type Flags = ApiFlags & RowFlags & TargetFlags & { limit: number; cursor?: string };

const SENSORS_SHOWN = 20;

export function registerPreview(program: Command, io: Io): void {
  const command = program
    .command('preview')
    .summary('show which sensors a selector matches now')
    .description(
      'Shows how many sensors match now, which ones, and which clauses exclude the most sensors. It queues nothing.',
    )
    .argument('[selector]', 'the selector; * for all');
  withApiOptions(withRows(withTarget(command)))
    .option('--limit <n>', 'maximum number of sensors', wholeNumber(1, 10_000), SENSORS_SHOWN)
    .option('--cursor <cursor>', 'continue from the cursor of an earlier page')
    .action((selector: string | undefined, flags: Flags) => preview(selector, flags, io));
  withExamples(command, io, [
    ["preview 'plat == windows and vip in tags'", 'the sensors that a task would match'],
    ['preview --tag production --limit 1000 --output csv', 'as rows for a spreadsheet'],
    ["preview '*' --json | jq .online_sensors", 'how many are online'],
  ]);
}

async function preview(selector: string | undefined, flags: Flags, io: Io): Promise<void> {
  const target = targetOf(flags);
  if (selector !== undefined && Object.keys(target).length > 0)
    throw usageError('Give a selector or one of --sid, --tag and --selector, not both.');
  const answer = await clientOf(flags, io).request<PreviewAnswer>('preview', {
    ...(selector === undefined ? target : { selector }),
    limit: flags.limit,
    ...(flags.cursor === undefined ? {} : { cursor: flags.cursor }),
  });
  if (flags.json) {
    io.out(prettyJson(answer));
    return;
  }
  if (flags.output === 'csv') {
    const rows = answer.sensors.map(({ sid, hostname, plat, online }) => [sid, hostname, plat, online]);
    io.out(csv(['sid', 'hostname', 'plat', 'online'], rows));
  } else io.out(previewText(answer, painter(io.colour), io.columns));
  if (answer.next_cursor) io.err(`More sensors: add --cursor ${answer.next_cursor}\n`);
}

export function previewText(answer: PreviewAnswer, paint: Paint, columns: number): string {
  const { total_sensors: total, online_sensors: online, sensors, excluded_by, error_sensors: errors = 0 } = answer;
  const wide = Math.max(20, columns - 24);
  const parts = [`${paint('bold', String(total))} match now, ${paint('green', String(online))} of them online\n`];
  if (errors > 0)
    parts.push(`${paint('yellow', counted(errors, 'sensor'))} not evaluated: a fact is missing (see explain)\n`);
  if (sensors.length > 0) {
    const rows = sensors.map(({ sid, hostname, plat, online: isOnline }) => [
      sid,
      clip(hostname, wide),
      plat,
      isOnline ? paint('green', 'online') : paint('dim', 'offline'),
    ]);
    parts.push(table(['SENSOR', 'HOST', 'PLATFORM', 'PRESENCE'], rows, paint));
  }
  if (excluded_by.length > 0) {
    const rows = excluded_by.map(({ clause, sensors: count }) => [String(count), clip(clause, wide)]);
    parts.push(table(['EXCLUDES', 'CLAUSE'], rows, paint));
  }
  return parts.join('\n');
}
