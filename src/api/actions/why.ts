/** `why`: why one sensor has not run one task, or that it has. Ended tasks are known for the retention. */
import { ApiError } from '../../errors.ts';
import { readerOf } from '../reader.ts';
import { stillUsable, usableStatus } from '../reads.ts';
import { WhySchema } from '../schemas.ts';
import { findSensor, treeOf } from '../sensors.ts';
import { stateAt } from '../task-view.ts';
import { whyOf } from '../why.ts';
import type { ActionContext, ActionResult } from './context.ts';

const read = readerOf(WhySchema);

export async function why(data: unknown, context: ActionContext): Promise<ActionResult> {
  const { task_id, sid } = read(data);
  const { reads, oid } = context;
  context.logIds.task_id = task_id;
  const { epoch, nowMs } = await usableStatus(reads, oid);
  const [[task], pair, sensor] = await Promise.all([
    reads.readTasks(oid, [task_id]),
    reads.readPair(oid, task_id, sid),
    findSensor(context, oid, sid),
  ]);
  if (!task) throw new ApiError('task_unknown', `The org has no task ${task_id}, or it ended long ago.`);
  await stillUsable(reads, oid, epoch);
  const selector = treeOf(task.command.selector);
  const answer = whyOf({ task, state: stateAt(task, nowMs), selector, pair: pair ?? undefined, sensor, nowMs });
  return { status: 200, data: { task_id, sid, ...answer } };
}
