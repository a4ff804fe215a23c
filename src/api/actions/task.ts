/**
 * `task`: appends a TASK to the log and answers when it is applied, with the number of sensors that match it now.
 *
 * Nothing is appended unless the projection is usable, so that a command that would be refused later is refused here. After the
 * append the task is accepted: if reading its effect fails, the answer is 202 with the task id, never an error. The same idempotency
 * key with equal content is the same task: if the task is known already, nothing is appended again.
 */
import { type Static, Type } from '@sinclair/typebox';
import { shownTaskId, whole } from '../../command/fields.ts';
import { TaskSchema } from '../../command/schemas.ts';
import { taskCommandOf } from '../../command/task-command.ts';
import { ApiError, inDoubt } from '../../errors.ts';
import type { TaskCommand } from '../../model/records.ts';
import { contentHashOf, type TaskRecord } from '../../model/task.ts';
import { usableStatus } from '../reads.ts';
import { countMatching } from '../sensors/scan.ts';
import { treeOf } from '../sensors/sensors.ts';
import { stateAt } from '../tasks/task-view.ts';
import { type ActionContext, appendAndWait, defineAction, originOf, type ResultOf, WRITE } from './action.ts';

/** How long to wait for the counts of the joiners before the API counts the sensors itself. */
const COUNTS_WAIT_MS = 1_000;
const COUNTS_POLL_MS = 10;
const MAY_BE_QUEUED =
  'The task may still be queued. A retry is safe only with the same idempotency key; without one, use list first.';

const answers = {
  200: Type.Object({
    task_id: shownTaskId,
    total_sensors: whole('Sensors that match now.'),
    tasked_sensors: whole('Matching sensors that are online.'),
    queued_sensors: whole('Matching sensors that are offline.'),
  }),
  202: Type.Object({ task_id: shownTaskId }),
};
type Result = ResultOf<typeof answers>;

export const task = defineAction({
  name: 'task',
  rights: WRITE,
  summary: 'Queues a command for the sensors that match.',
  schema: TaskSchema,
  answers,
  run: queueTask,
});

async function queueTask(fields: Static<typeof TaskSchema>, context: ActionContext): Promise<Result> {
  const command = taskCommandOf(fields, originOf(context), context.rules);
  context.logIds.task_id = command.task_id;
  await usableStatus(context.reads, context.oid);
  const [known] = await context.reads.readTasks(context.oid, [command.task_id]);
  if (known) {
    refuseOther(known, command);
    return answer(context, known, () => countSensors(context, known.command.selector));
  }
  return append(context, command);
}

async function append(context: ActionContext, command: TaskCommand): Promise<Result> {
  const { logOffsets, epoch } = await appendAndWait(context, [command]).catch((error) => {
    throw inDoubt(error, MAY_BE_QUEUED);
  });
  const accepted: Result = { status: 202, data: { task_id: command.task_id } };
  if (epoch === null) return accepted;
  try {
    const [record] = await context.reads.readTasks(context.oid, [command.task_id]);
    if (!record) return await absent(context, command, epoch);
    if (record.offset !== logOffsets[0]?.offset) refuseOther(record, command);
    return await answer(context, record, () => counts(context, command));
  } catch (error) {
    if (error instanceof ApiError && error.status < 500) throw error;
    context.log.warn(
      { err: error, oid: context.oid, task_id: command.task_id },
      'task accepted, but its effect could not be read; answering 202',
    );
    return accepted;
  }
}

/** The task with this id has other content, or was removed: the command changes nothing. Throws `idempotency_conflict`. */
function refuseOther(record: TaskRecord, command: TaskCommand): void {
  const data = { task_id: command.task_id };
  if (record.contentHash !== contentHashOf(command))
    throw new ApiError(
      'idempotency_conflict',
      'This idempotency key was used for a task with other content: use another key, or send the same content.',
      { data },
    );
  if (record.state === 'removed')
    throw new ApiError(
      'idempotency_conflict',
      'The task of this idempotency key was removed: use another key to queue it again.',
      { data },
    );
}

/** The command was applied, but the task does not exist: the projector refused it for a reason that arose after our check, or Redis was
 *  lost. */
async function absent(context: ActionContext, command: TaskCommand, epoch: string): Promise<Result> {
  const status = await usableStatus(context.reads, context.oid);
  if (status.epoch !== epoch) return { status: 202, data: { task_id: command.task_id } };
  if (!context.orgs.subscribed(context.oid, context.nowMs()))
    throw new ApiError('not_subscribed', 'The org is no longer subscribed: the task was not queued.');
  throw new ApiError(
    'record_invalid',
    'The task was refused when it was applied: see its dead letter for the reason.',
    {
      data: { task_id: command.task_id },
    },
  );
}

type Counts = { matched: number; online: number };

/** A task that has already expired, as with ttl 0, has no deliveries. */
async function answer(context: ActionContext, record: TaskRecord, count: () => Promise<Counts>): Promise<Result> {
  const pending = stateAt(record, context.nowMs()) === 'pending';
  const { matched, online } = pending ? await count() : { matched: 0, online: 0 };
  return {
    status: 200,
    data: {
      task_id: record.taskId,
      total_sensors: matched,
      tasked_sensors: online,
      queued_sensors: matched - online,
    },
  };
}

/** Each joiner counts its own sensors when it matches the task. If a count is still missing after a while, the API counts itself. */
async function counts(context: ActionContext, command: TaskCommand): Promise<Counts> {
  const deadlineMs = context.clock.monoMs() + COUNTS_WAIT_MS;
  while (context.clock.monoMs() < deadlineMs) {
    const found = await context.reads.readCounts(context.oid, command.task_id);
    if (found.partitions >= context.presencePartitions()) return found;
    await context.clock.delay(COUNTS_POLL_MS);
  }
  return countSensors(context, command.selector);
}

async function countSensors(context: ActionContext, selector: string | null): Promise<Counts> {
  const tree = treeOf(selector);
  return tree === null ? { matched: 0, online: 0 } : countMatching(context, context.oid, tree);
}
