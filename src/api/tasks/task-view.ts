/** How a task and its deliveries are shown. Pure. The states are those of model/states.ts; counts are folds of them. */
import { type Static, Type } from '@sinclair/typebox';
import { ms, oneOf, shownHostname, shownSid, shownTaskId, text, whole } from '../../command/fields.ts';
import {
  DELIVERY_STATES,
  type DeliveryState,
  isAnswered,
  isOpen,
  stateOf,
  type TaskState,
} from '../../model/states.ts';
import type { Delivery, TaskRecord } from '../../model/task.ts';
import { canonicalSelector, isDirect, isDoneWhenSent } from '../../model/task.ts';

export const TaskEntrySchema = Type.Object({
  task_id: shownTaskId,
  task: text('The command line.'),
  sensor_selector: text('The selector; `*` for all sensors.'),
  context: Type.Union([Type.String(), Type.Null()]),
  ttl: whole('How long it stays pending, in seconds.'),
  created_at: ms('Queued'),
  expires_at: ms('Expires'),
  issued_by: text('The name of the key, or the name that the producer gave.'),
  acknowledged: Type.Array(Type.String(), { description: 'Sensors that have answered, the first 1000.' }),
  acknowledged_count: whole('How many sensors have answered.'),
});

/** The state of one delivery. */
const shownDeliveryFields = {
  state: oneOf(DELIVERY_STATES, 'Its state.'),
  attempt: whole('How many times it was sent.'),
  at: ms('In this state since'),
  reason: text('The reason, in one sentence.'),
};
export const ShownDeliverySchema = Type.Object(shownDeliveryFields);

/** The delivery of a task for one sensor. */
export const DeliveryRowSchema = Type.Object({
  sid: shownSid,
  hostname: shownHostname,
  ...shownDeliveryFields,
  response_count: whole('How many responses the sensor sent, among the first 10000 of the task.'),
});

export const CountsSchema = Type.Unsafe<Record<DeliveryState, number>>(
  Type.Object(Object.fromEntries(DELIVERY_STATES.map((state) => [state, Type.Integer()])), {
    description: 'How many sensors are in each state.',
  }),
);

export type TaskEntry = Static<typeof TaskEntrySchema>;
export type DeliveryRow = Static<typeof DeliveryRowSchema>;
export type ShownDelivery = Static<typeof ShownDeliverySchema>;

const ACKNOWLEDGED_MAX = 1_000;

/** The sensor still has to run it, as long as the task is pending. */
export const isDue = (delivery: Delivery | undefined): boolean => isOpen(stateOf('pending', delivery));

/** A task is expired as soon as its TTL is over. The sweep records it a moment later. */
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

/** `state` is the state of the task, `delivery` what is stored, `online` the presence of the sensor. */
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
  if (isDirect(command)) return 'It was sent. A command for now is done when it is sent.';
  return isDoneWhenSent(command) ? 'It was sent. This command has no answer.' : 'The sensor has answered.';
}

const queuedReason = (online: boolean): string =>
  online ? 'The sensor is online: the task is sent at once.' : 'The task is sent when the sensor connects.';

function sentReason(attempt: number, online: boolean): string {
  const sent = attempt === 1 ? 'It was sent' : `It was sent ${attempt} times`;
  return online ? `${sent}. The sensor has not answered yet.` : `${sent}. It is sent again when the sensor connects.`;
}

const expiredReason = (attempt: number): string =>
  attempt === 0
    ? 'The task expired before it could be sent to this sensor.'
    : 'It was sent, but expired before the sensor answered.';
