/** `show`: one task, its delivery states and its sensors. */
import type { Command } from 'commander';
import { csvOf } from '../../../text/csv.ts';
import type { SensorRow, TaskDetails } from '../../api/answers.ts';
import type { ApiFlags } from '../../api/settings.ts';
import type { Io } from '../../io.ts';
import { type Paint, painter, prettyJson, type Style } from '../../io.ts';
import { clientOf, type RowFlags, wholeNumber, withApiOptions, withExamples, withRows } from '../../options.ts';
import { clip, facts, table, visible } from '../../text/table.ts';
import { endText, timeText } from '../../text/time.ts';

type Flags = ApiFlags & RowFlags & { limit: number; cursor?: string };

const SENSORS_SHOWN = 50;

/** The style of each delivery state. */
export const STATE_STYLES: Readonly<Record<string, Style>> = {
  queued: 'dim',
  sent: 'cyan',
  done: 'green',
  failed: 'red',
  expired: 'yellow',
  removed: 'magenta',
};

export function registerShow(program: Command, io: Io): void {
  const command = program
    .command('show')
    .summary('show one task and its sensors')
    .description('Shows a pending or ended task: its content, the number of deliveries in each state, and its sensors.')
    .argument('<task-id>', 'the task');
  withRows(withApiOptions(command))
    .option('--limit <n>', 'maximum number of sensors', wholeNumber(1, 10_000), SENSORS_SHOWN)
    .option('--cursor <cursor>', 'continue from the cursor of an earlier page')
    .action((taskId: string, flags: Flags) => show(taskId, flags, io));
  withExamples(command, io, [
    ['show 5a0e6b1c-3a52-4c0e-9f5e-0c9d4b1f7a10', 'one task'],
    ["show 5a0e6b1c-3a52-4c0e-9f5e-0c9d4b1f7a10 --json | jq '.counts'", 'its counts, for programs'],
  ]);
}

async function show(taskId: string, flags: Flags, io: Io): Promise<void> {
  const task = await clientOf(flags, io).request<TaskDetails>('get', {
    task_id: taskId,
    limit: flags.limit,
    ...(flags.cursor === undefined ? {} : { cursor: flags.cursor }),
  });
  if (flags.json) {
    io.out(prettyJson(task));
    return;
  }
  if (flags.output === 'csv') io.out(csvOf(CSV_FIELDS, task.sensors));
  else io.out(taskText(task, io.nowMs(), painter(io.colour), io.columns));
  if (task.sensors.some(({ response_count = 0 }) => response_count > 0))
    io.err(`Responses: ${io.name} results ${task.task_id}\n`);
  if (task.next_cursor) io.err(`More sensors: add --cursor ${task.next_cursor}\n`);
}

/** Of the sensors; times in Unix ms. */
const CSV_FIELDS = ['sid', 'hostname', 'state', 'attempt', 'at', 'reason', 'response_count'] as const;

export function taskText(task: TaskDetails, nowMs: number, paint: Paint, columns: number): string {
  const counts = Object.entries(task.counts).filter(([, count]) => count > 0);
  const head = facts(
    [
      ['task', task.task_id],
      ['command', visible(task.task)],
      ['selector', visible(task.sensor_selector)],
      ...(task.context ? [['context', visible(task.context)] as const] : []),
      ['state', task.state],
      ['created', timeText(task.created_at) + (task.issued_by ? ` by ${visible(task.issued_by)}` : '')],
      ['expires', endText(task.expires_at, nowMs)],
      ...(task.ended_at ? [['ended', timeText(task.ended_at)] as const] : []),
      [
        'sensors',
        counts.map(([state, count]) => paint(STATE_STYLES[state] ?? 'bold', `${count} ${state}`)).join(', ') || 'none',
      ],
    ],
    paint,
  );
  return task.sensors.length === 0 ? head : `${head}\n${sensorTable(task.sensors, paint, columns)}`;
}

function sensorTable(sensors: readonly SensorRow[], paint: Paint, columns: number): string {
  const reasonWidth = Math.max(16, columns - 99);
  return table(
    ['SENSOR', 'HOSTNAME', 'STATE', 'ATTEMPT', 'ANSWERS', 'AT', 'REASON'],
    sensors.map((sensor) => [
      visible(sensor.sid),
      clip(sensor.hostname ?? '', 24),
      paint(STATE_STYLES[sensor.state] ?? 'bold', sensor.state),
      sensor.attempt ? String(sensor.attempt) : '',
      sensor.response_count ? String(sensor.response_count) : '',
      sensor.at ? timeText(sensor.at) : '',
      clip(sensor.reason ?? '', reasonWidth),
    ]),
    paint,
  );
}
