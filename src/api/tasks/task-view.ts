/** How a task and its pairs are shown. Pure. States are those of model/states.ts; counts are folds of them. */
import { type DeliveryState, isAnswered, isOpen, stateOf, type TaskState } from '../../model/states.ts';
import type { Delivery, TaskRecord } from '../../model/task.ts';
import { canonicalSelector, isDirect, isDoneWhenSent } from '../../model/task.ts';
import type { TaskEntry } from '../actions/answers.ts';

export type ShownDelivery = { state: DeliveryState; attempt: number; at: number; reason: string };

const ACKNOWLEDGED_MAX = 1_000;

/** The sensor still has to run it, as long as the task is pending. */
export const isDue = (delivery: Delivery | undefined): boolean => isOpen(stateOf('pending', delivery));

/** A task whose time is over is expired, though the sweep may come a moment later. */
export const stateAt = (task: TaskRecord, nowMs: number): TaskState =>
  task.state === 'pending' && task.expiresAtMs <= nowMs ? 'expired' : task.state;

export function taskEntry(
  { taskId, command, expiresAtMs }: TaskRecord,
  deliveries: ReadonlyMap<string, Delivery>,
): TaskEntry {
  const acknowledged: string[] = [];
  let count = 0;
  for (const [sid, delivery] of deliveries) {
    if (!isAnswered(stateOf('pending', delivery))) continue;
    count += 1;
    if (acknowledged.length < ACKNOWLEDGED_MAX) acknowledged.push(sid);
  }
  return {
    task_id: taskId,
    task: command.task ?? '',
    sensor_selector: canonicalSelector(command.selector),
    context: command.context,
    ttl: command.ttl,
    created_at: command.issued_at,
    expires_at: expiresAtMs,
    issued_by: command.issued_by,
    acknowledged,
    acknowledged_count: count,
  };
}

/** The state of one sensor in a task: `state` is the task's, `pair` what is stored, `online` the sensor's presence. */
export function shownDelivery(
  task: TaskRecord,
  state: TaskState,
  delivery: Delivery | undefined,
  online: boolean,
): ShownDelivery {
  const shown = stateOf(state, delivery);
  const attempt = delivery?.attempt ?? 0;
  const at = delivery?.atMs ?? task.command.issued_at;
  const [atMs, reason] = REASONS[shown]({ task, delivery, attempt, at, online });
  return { state: shown, attempt, at: atMs, reason };
}

type Seen = { task: TaskRecord; delivery: Delivery | undefined; attempt: number; at: number; online: boolean };

/** When each state began, Unix ms, and why. */
const REASONS: Readonly<Record<DeliveryState, (seen: Seen) => [number, string]>> = {
  queued: ({ at, online }) => [at, queuedReason(online)],
  sent: ({ at, attempt, online }) => [at, sentReason(attempt, online)],
  done: ({ at, task }) => [at, doneReason(task.command)],
  failed: ({ at, delivery }) => [at, `The sensor answered with error ${delivery?.reason}.`],
  expired: ({ task, attempt }) => [task.expiresAtMs, expiredReason(attempt)],
  removed: ({ at, delivery, task }) =>
    delivery?.state === 'removed'
      ? [at, 'The task was withdrawn for this sensor.']
      : [task.endedAtMs ?? at, 'The task was removed before this sensor answered.'],
};

function doneReason(command: TaskRecord['command']): string {
  if (isDirect(command)) return 'It was sent: a command for now is done then, whatever the sensor answers.';
  return isDoneWhenSent(command) ? 'It was sent; this command gives no answer.' : 'The sensor has answered.';
}

const queuedReason = (online: boolean): string =>
  online ? 'The sensor is online: it is sent at once.' : 'It waits for the sensor to connect.';

function sentReason(attempt: number, online: boolean): string {
  const sent = attempt === 1 ? 'It was sent' : `It was sent ${attempt} times`;
  return online
    ? `${sent}; the answer of the sensor is awaited.`
    : `${sent}; it is sent again when the sensor connects.`;
}

const expiredReason = (attempt: number): string =>
  attempt === 0
    ? 'The task expired before it could be sent to this sensor.'
    : 'It was sent, and expired before the sensor answered.';
