/**
 * `task`: writes a TASK to the log and answers when it is applied, with how many sensors match it now.
 *
 * Nothing is produced unless the projection can answer: what would be refused later is refused here. After the append the
 * task is accepted, and a fault while its effect is looked up gives 202 with its id, never an error that says otherwise.
 * The same idempotency key with equal content is the same task: where it is known already nothing is produced again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { readerOf } from '../../command/reader.ts';
import { TaskSchema } from '../../command/schemas.ts';
import { taskCommandOf } from '../../command/task-command.ts';
import { ApiError, inDoubt } from '../../errors.ts';
import type { TaskCommand } from '../../model/records.ts';
import { contentHashOf, type TaskRecord } from '../../model/task.ts';
import { usableStatus } from '../reads.ts';
import { countMatching } from '../sensors/scan.ts';
import { treeOf } from '../sensors/sensors.ts';
import { stateAt } from '../tasks/task-view.ts';
import { type ActionContext, type ActionResult, appendAndWait, originOf } from './context.ts';

/** How long the joiners have to say how many sensors match, before the sensors are counted here. */
const COUNTS_WAIT_MS = 1_000;
const COUNTS_POLL_MS = 10;
const MAY_BE_QUEUED =
  'The task may be queued all the same: a retry is safe with an idempotency key, the same each time; without one see list first.';

const read = readerOf(TaskSchema);

export async function task(data: unknown, context: ActionContext): Promise<ActionResult> {
  const command = taskCommandOf(read(data), originOf(context), context.rules);
  context.logIds.task_id = command.task_id;
  await usableStatus(context.reads, context.oid);
  const [known] = await context.reads.readTasks(context.oid, [command.task_id]);
  if (known) {
    refuseOther(known, command);
    return answer(context, known, () => countSensors(context, known.command.selector));
  }
  return append(context, command);
}

async function append(context: ActionContext, command: TaskCommand): Promise<ActionResult> {
  const { logOffsets, epoch } = await appendAndWait(context, [command]).catch((error) => {
    throw inDoubt(error, MAY_BE_QUEUED);
  });
  const accepted: ActionResult = { status: 202, data: { task_id: command.task_id } };
  if (epoch === null) return accepted;
  try {
    const [record] = await context.reads.readTasks(context.oid, [command.task_id]);
    if (!record) return await absent(context, command, epoch);
    if (record.offset !== logOffsets[0]?.offset) refuseOther(record, command);
    return await answer(context, record, () => counts(context, command));
  } catch (error) {
    if (error instanceof ApiError && error.status < 500) throw error;
    context.log.warn({ err: error, oid: context.oid, task_id: command.task_id }, 'accepted, but not looked up');
    return accepted;
  }
}

/** The task at this id is another one, or was removed: the command changes nothing, and the caller has to know. */
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

/** Applied, and yet not there: the projector refused it, for a reason that came up after our check; or Redis was lost. */
async function absent(context: ActionContext, command: TaskCommand, epoch: string): Promise<ActionResult> {
  const status = await usableStatus(context.reads, context.oid);
  if (status.epoch !== epoch) return { status: 202, data: { task_id: command.task_id } };
  if (!context.orgs.subscribed(context.oid, context.nowMs()))
    throw new ApiError('not_subscribed', 'The org is not subscribed any more: the task was not queued.');
  throw new ApiError('record_invalid', 'The task was refused when it was applied: its dead letter says why.', {
    data: { task_id: command.task_id },
  });
}

type Counts = { matched: number; online: number };

/** A task that has expired already, as with ttl 0, is sent to nobody and waits for nobody. */
async function answer(context: ActionContext, record: TaskRecord, count: () => Promise<Counts>): Promise<ActionResult> {
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

/** Each joiner counts its own sensors when it meets the task; where one is missing after a while we count ourselves. */
async function counts(context: ActionContext, command: TaskCommand): Promise<Counts> {
  const deadlineMs = performance.now() + COUNTS_WAIT_MS;
  while (performance.now() < deadlineMs) {
    const found = await context.reads.readCounts(context.oid, command.task_id);
    if (found.partitions >= context.presencePartitions()) return found;
    await delay(COUNTS_POLL_MS);
  }
  return countSensors(context, command.selector);
}

async function countSensors(context: ActionContext, selector: string | null): Promise<Counts> {
  const tree = treeOf(selector);
  return tree === null ? { matched: 0, online: 0 } : countMatching(context, context.oid, tree);
}
