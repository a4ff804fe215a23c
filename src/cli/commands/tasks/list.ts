/** `list`: which tasks wait, or have ended. */
import { type Command, Option } from 'commander';
import { csvOf } from '../../../text/csv.ts';
import type { ListAnswer, ListedTask } from '../../api/answers.ts';
import type { ApiFlags } from '../../api/settings.ts';
import type { Io } from '../../io.ts';
import { type Paint, painter, prettyJson } from '../../io.ts';
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
import { durationText } from '../../text/duration.ts';
import { clip, table } from '../../text/table.ts';

type Flags = ApiFlags & RowFlags & TargetFlags & { state?: string; limit?: number; cursor?: string };

export function registerList(program: Command, io: Io): void {
  const command = program
    .command('list')
    .summary('list tasks')
    .description('Lists the tasks that wait. With a target: those that at least one such sensor still has to run.');
  withRows(withApiOptions(withTarget(command)))
    .addOption(new Option('--state <state>', 'ended: those that have expired or were removed').choices(['ended']))
    .option('--limit <n>', 'at most so many, with a cursor to go on from', wholeNumber(1, 10_000))
    .option('--cursor <cursor>', 'go on where an earlier list ended')
    .action((flags: Flags) => list(flags, io));
  withExamples(command, io, [
    ['list', 'every task that waits'],
    ['list --sid sensor-123-abc', 'what one sensor still has to run'],
    ["list --json | jq -r '.tasks[].task_id'", 'for programs'],
  ]);
}

async function list(flags: Flags, io: Io): Promise<void> {
  const answer = await clientOf(flags, io).request<ListAnswer>('list', {
    ...targetOf(flags),
    ...(flags.state === undefined ? {} : { state: flags.state }),
    ...(flags.limit === undefined ? {} : { limit: flags.limit }),
    ...(flags.cursor === undefined ? {} : { cursor: flags.cursor }),
  });
  if (flags.json) {
    io.out(prettyJson(answer));
    return;
  }
  if (flags.output === 'csv') io.out(csvOf(CSV_FIELDS, answer.tasks));
  else if (answer.tasks.length === 0) io.err(`No tasks ${flags.state === 'ended' ? 'have ended' : 'wait'}.\n`);
  else io.out(taskTable(answer.tasks, io.nowMs(), painter(io.colour), io.columns));
  if (answer.next_cursor) io.err(`More: add --cursor ${answer.next_cursor}\n`);
}

/** Times in Unix ms. */
const CSV_FIELDS = [
  ...(['task_id', 'task', 'sensor_selector', 'context', 'ttl', 'created_at', 'expires_at', 'issued_by'] as const),
  'acknowledged_count',
] as const;

/** Ids are never cut: people copy them. Command and selector share what the other columns leave of the line. */
export function taskTable(tasks: readonly ListedTask[], nowMs: number, paint: Paint, columns: number): string {
  const idWidth = Math.max(...tasks.map((task) => task.task_id.length));
  const wide = Math.max(16, Math.floor((columns - idWidth - 24) / 2));
  return table(
    ['TASK', 'COMMAND', 'SELECTOR', 'EXPIRES IN', 'ACKED'],
    tasks.map((task) => [
      task.task_id,
      clip(task.task, wide),
      clip(task.sensor_selector, wide),
      task.expires_at <= nowMs ? 'over' : durationText((task.expires_at - nowMs) / 1000),
      String(task.acknowledged_count),
    ]),
    paint,
  );
}
