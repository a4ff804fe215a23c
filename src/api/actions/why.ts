/** `why`: why one sensor has not run one task, or that it has. Ended tasks are known for the retention. */

import { readerOf } from '../../command/reader.ts';
import { WhySchema } from '../../command/schemas.ts';
import { ApiError } from '../../errors.ts';
import { stillUsable, usableStatus } from '../reads.ts';
import { findSensor, treeOf } from '../sensors/sensors.ts';
import { stateAt } from '../tasks/task-view.ts';
import { whyOf } from '../tasks/why.ts';
import type { ActionContext, ActionResult } from './context.ts';

const read = readerOf(WhySchema);

export async function why(data: unknown, context: ActionContext): Promise<ActionResult> {
  const { task_id, sid } = read(data);
  const { reads, oid } = context;
  context.logIds.task_id = task_id;
  const { epoch, nowMs } = await usableStatus(reads, oid);
  const [[task], delivery, sensor] = await Promise.all([
    reads.readTasks(oid, [task_id]),
    reads.readDelivery(oid, task_id, sid),
    findSensor(context, oid, sid),
  ]);
  if (!task) throw new ApiError('task_unknown', `The org has no task ${task_id}, or it ended long ago.`);
  await stillUsable(reads, oid, epoch);
  const selector = treeOf(task.command.selector);
  const answer = whyOf({ task, state: stateAt(task, nowMs), selector, delivery: delivery ?? undefined, sensor, nowMs });
  return { status: 200, data: { task_id, sid, ...answer } };
}
