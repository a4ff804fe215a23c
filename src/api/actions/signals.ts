/**
 * What a person or a program tells about one sensor by hand: `signal_attempt` (try now what is due to it) and
 * `signal_received` (it has run a task, though its receipt never came). Both are records on the topics that sensors' links
 * write, and answer when their owner has taken them in; 202: they are on the log, and will be.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { readerOf } from '../../command/reader.ts';
import { ReceivedSchema, SensorSchema } from '../../command/schemas.ts';
import { refuseLonger, refuseUnstorable } from '../../command/text.ts';
import { ApiError } from '../../errors.ts';
import { isName } from '../../model/ids.ts';
import { type TaskRecord, taskIdOfInvestigation } from '../../model/task.ts';
import { usableStatus } from '../reads.ts';
import { writePresence } from '../sensors/sensor-writes.ts';
import { knownSensor, treeOf } from '../sensors/sensors.ts';
import { stateAt } from '../tasks/task-view.ts';
import { whyOf } from '../tasks/why.ts';
import type { ActionContext, ActionResult } from './context.ts';

const POLL_MS = 20;
const INVESTIGATION_MAX_BYTES = 4_300;

const readSensor = readerOf(SensorSchema);
const readReceived = readerOf(ReceivedSchema);

export async function signalAttempt(data: unknown, context: ActionContext): Promise<ActionResult> {
  const { sid } = readSensor(data);
  await usableStatus(context.reads, context.oid);
  const { online } = await knownSensor(context, context.oid, sid);
  const applied = await writePresence(context, context.oid, sid, { try_now: true });
  return { status: applied ? 200 : 202, data: { sid, online } };
}

export async function signalReceived(data: unknown, context: ActionContext): Promise<ActionResult> {
  const { sid, inv_id } = readReceived(data);
  refuseUnstorable('inv_id', inv_id);
  refuseLonger('inv_id', inv_id, INVESTIGATION_MAX_BYTES);
  const { nowMs } = await usableStatus(context.reads, context.oid);
  const sensor = await knownSensor(context, context.oid, sid);
  const task = await knownTask(context, inv_id);
  const { taskId } = task;
  context.logIds.task_id = taskId;
  await refuseStranger(context, task, sensor, nowMs);
  await context.sensorEvents.append([
    {
      oid: context.oid,
      sid,
      event_type: 'RECEIPT',
      event_id: randomUUID(),
      occurred_at: context.nowMs(),
      investigation_id: inv_id,
      task_id: null,
      routing: '{}',
      event: '{}',
    },
  ]);
  const settled = await untilSettled(context, taskId, sid);
  return { status: settled ? 200 : 202, data: { sid, task_id: taskId } };
}

/** The task that an investigation id names: what follows its last slash. */
async function knownTask(context: ActionContext, investigationId: string): Promise<TaskRecord> {
  const taskId = taskIdOfInvestigation(investigationId);
  const [task] = isName(taskId) ? await context.reads.readTasks(context.oid, [taskId]) : [];
  if (task) return task;
  throw new ApiError('task_unknown', 'inv_id names no task of the org: give its investigation_id, or its task_id.');
}

/** Only what was sent to the sensor can have run there; what waits for it can be settled before. Throws `task_not_for_sensor`. */
async function refuseStranger(
  context: ActionContext,
  task: TaskRecord,
  sensor: Awaited<ReturnType<typeof knownSensor>>,
  nowMs: number,
): Promise<void> {
  const delivery = (await context.reads.readDelivery(context.oid, task.taskId, sensor.sid)) ?? undefined;
  const state = stateAt(task, nowMs);
  const why = whyOf({ task, state, selector: treeOf(task.command.selector), delivery, sensor, nowMs });
  if (
    why.state === 'queued' ||
    (delivery?.attempt ?? 0) > 0 ||
    delivery?.state === 'done' ||
    delivery?.state === 'failed'
  )
    return;
  throw new ApiError(
    'task_not_for_sensor',
    `The task ${task.taskId} was not sent to the sensor ${sensor.sid} and does not wait for it: ${why.sentence}`,
  );
}

/** Read your writes: until the pair has an ack. False where that takes longer than the bound, or Redis does not answer. */
async function untilSettled(context: ActionContext, taskId: string, sid: string): Promise<boolean> {
  const deadlineMs = performance.now() + context.config.API_APPLY_WAIT_MS;
  for (;;) {
    const delivery = await context.reads.readDelivery(context.oid, taskId, sid).catch(() => null);
    if (delivery?.state === 'done' || delivery?.state === 'failed') return true;
    if (performance.now() >= deadlineMs) return false;
    await delay(POLL_MS);
  }
}
