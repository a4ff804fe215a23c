/**
 * `signal_attempt`: send now what is due to a sensor. `signal_received`: a sensor has run a task, though its receipt never came.
 * Both write records to the topics that the gateway writes, and answer when the owner has applied them. 202: the record is on the
 * log and will be applied.
 */
import { randomUUID } from 'node:crypto';
import { type Static, Type } from '@sinclair/typebox';
import { shownSid, shownTaskId } from '../../command/fields.ts';
import { refuseLonger, refuseUnstorable } from '../../command/reader.ts';
import { ReceivedSchema, SensorSchema } from '../../command/schemas.ts';
import { ApiError } from '../../errors.ts';
import { isName } from '../../model/ids.ts';
import { type TaskRecord, taskIdOfInvestigation } from '../../model/task.ts';
import { usableStatus } from '../reads.ts';
import { writePresence } from '../sensors/sensor-writes.ts';
import { knownSensor, treeOf } from '../sensors/sensors.ts';
import { stateAt } from '../tasks/task-view.ts';
import { whyOf } from '../tasks/why.ts';
import { type ActionContext, defineAction, type ResultOf, WRITE } from './action.ts';

const POLL_MS = 20;
const INVESTIGATION_MAX_BYTES = 4_300;

const attempted = Type.Object({
  sid: shownSid,
  online: Type.Boolean({ description: 'false: tasks are sent when the sensor connects.' }),
});
const attemptAnswers = { 200: attempted, 202: attempted };

export const signalAttempt = defineAction({
  name: 'signal_attempt',
  rights: WRITE,
  summary: 'Sends now what is due to a sensor.',
  schema: SensorSchema,
  answers: attemptAnswers,
  run: async ({ sid }, context): Promise<ResultOf<typeof attemptAnswers>> => {
    await usableStatus(context.reads, context.oid);
    const { online } = await knownSensor(context, context.oid, sid);
    const applied = await writePresence(context, context.oid, sid, { try_now: true });
    return { status: applied ? 200 : 202, data: { sid, online } };
  },
});

const received = Type.Object({ sid: shownSid, task_id: shownTaskId });
const receivedAnswers = { 200: received, 202: received };

export const signalReceived = defineAction({
  name: 'signal_received',
  rights: WRITE,
  summary: 'Acknowledges a task for a sensor.',
  schema: ReceivedSchema,
  answers: receivedAnswers,
  run: acknowledge,
});

async function acknowledge(
  { sid, inv_id }: Static<typeof ReceivedSchema>,
  context: ActionContext,
): Promise<ResultOf<typeof receivedAnswers>> {
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

/** The id of the task is the part of the investigation id after the last slash. */
async function knownTask(context: ActionContext, investigationId: string): Promise<TaskRecord> {
  const taskId = taskIdOfInvestigation(investigationId);
  const [task] = isName(taskId) ? await context.reads.readTasks(context.oid, [taskId]) : [];
  if (task) return task;
  throw new ApiError(
    'task_unknown',
    'The org has no task with this inv_id: give the investigation_id of the task, or its task_id.',
  );
}

/** A sensor can only have run a task that was sent to it. A task that is queued for it can be acknowledged too. Throws
 *  `task_not_for_sensor`. */
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
    `The task ${task.taskId} was not sent to the sensor ${sensor.sid} and is not queued for it: ${why.sentence}`,
  );
}

/** Waits until the delivery is acknowledged. False if that takes longer than API_APPLY_WAIT_MS, or if Redis does not answer. */
async function untilSettled(context: ActionContext, taskId: string, sid: string): Promise<boolean> {
  const deadlineMs = context.clock.monoMs() + context.config.API_APPLY_WAIT_MS;
  for (;;) {
    const delivery = await context.reads.readDelivery(context.oid, taskId, sid).catch(() => null);
    if (delivery?.state === 'done' || delivery?.state === 'failed') return true;
    if (context.clock.monoMs() >= deadlineMs) return false;
    await context.clock.delay(POLL_MS);
  }
}
