/** `list`: lists pending or ended tasks. */
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
    .description(
      'Lists pending tasks. With a target, lists tasks with an open delivery to at least one of these sensors.',
    );
  withRows(withApiOptions(withTarget(command)))
    .addOption(new Option('--state <state>', 'ended: tasks that have expired or were removed').choices(['ended']))
    .option('--limit <n>', 'maximum number of tasks; prints a cursor if there are more', wholeNumber(1, 10_000))
    .option('--cursor <cursor>', 'continue from the cursor of an earlier list')
    .action((flags: Flags) => list(flags, io));
  withExamples(command, io, [
    ['list', 'all pending tasks'],
    ['list --sid sensor-123-abc', 'tasks that one sensor has not run yet'],
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
  else if (answer.tasks.length === 0) io.err(`No ${flags.state ?? 'pending'} tasks.\n`);
  else io.out(taskTable(answer.tasks, io.nowMs(), painter(io.colour), io.columns));
  if (answer.next_cursor) io.err(`More: add --cursor ${answer.next_cursor}\n`);
}

/** Times in Unix ms. */
const CSV_FIELDS = [
  ...(['task_id', 'task', 'sensor_selector', 'context', 'ttl', 'created_at', 'expires_at', 'issued_by'] as const),
  'acknowledged_count',
] as const;

/** Ids are never truncated, because people copy them. Command line and selector share the rest of the line. */
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
