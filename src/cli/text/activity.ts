/** One line per task event, for `watch` and the demonstration. Pure. */
import type { ActivityEvent } from '../api/answers.ts';
import type { Paint, Style } from '../io.ts';
import { clip, visible } from './table.ts';

/** The word and the colour of each event. */
const WORDS: Readonly<Record<string, readonly [string, Style]>> = {
  add_task: ['queued', 'blue'],
  try_task: ['trying', 'dim'],
  task_sent: ['delivered', 'cyan'],
  task_done: ['acknowledged', 'green'],
  task_failure: ['failed', 'red'],
  task_expired: ['expired', 'yellow'],
  task_removed: ['removed', 'magenta'],
};

const WIDTH = Math.max(...Object.values(WORDS).map(([word]) => word.length));

const DETAIL_WIDTH = 80;

/** `names` maps ids to names for people. Ends without a line break. */
export function activityLine(
  type: string,
  activity: ActivityEvent,
  paint: Paint,
  names = new Map<string, string>(),
): string {
  const [word, style] = WORDS[type] ?? [type, 'bold'];
  const { routing, event } = activity;
  const time = new Date(routing.event_time ?? 0).toISOString().slice(11, 19);
  const taskId = String(event.task_id ?? '');
  // The selector of a new task for one sensor already names the sensor.
  const who = event.sid === undefined || type === 'add_task' ? '' : `  ${visible(names.get(event.sid) ?? event.sid)}`;
  const detail = clip(detailOf(type, event), DETAIL_WIDTH);
  return [
    paint('dim', time),
    paint(style, word.padEnd(WIDTH)),
    visible(names.get(taskId) ?? taskId) + who + (detail === '' ? '' : `  ${paint('dim', detail)}`),
  ].join('  ');
}

function detailOf(type: string, event: ActivityEvent['event']): string {
  if (type === 'add_task') return `${event.task ?? ''} → ${event.selector || '*'}`;
  if (type === 'task_failure') return `error ${event.error_code ?? event.error ?? ''}`;
  const attempt = Number(event.attempt ?? 1);
  return attempt > 1 ? `attempt ${attempt}` : '';
}
