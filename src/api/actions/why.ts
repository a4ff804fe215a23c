/** `why`: why one sensor has not run one task, or that it has. Ended tasks are known until their retention is over. */
import { Type } from '@sinclair/typebox';
import { ms, NAME_PATTERN, oneOf, shownSid, shownTaskId, sid, text } from '../../command/fields.ts';
import { data, taskId } from '../../command/schemas.ts';
import { ApiError } from '../../errors.ts';
import { DELIVERY_STATES } from '../../model/states.ts';
import { stillUsable, usableStatus } from '../reads.ts';
import { findSensor, treeOf } from '../sensors/sensors.ts';
import { stateAt } from '../tasks/task-view.ts';
import { whyOf } from '../tasks/why.ts';
import { defineAction, LOOK } from './action.ts';

const WhyAnswer = Type.Object({
  task_id: shownTaskId,
  sid: shownSid,
  state: oneOf([...DELIVERY_STATES, 'none'], '`none`: the task does not apply to the sensor.'),
  reason: text('A word that does not change, for programs.'),
  sentence: text('The reason, for people.'),
  at: ms('Since'),
});

export const why = defineAction({
  name: 'why',
  rights: LOOK,
  summary: 'Says in one sentence why a sensor has not run a task.',
  schema: data({ task_id: Type.String({ pattern: NAME_PATTERN, ...taskId }), sid }),
  answers: { 200: WhyAnswer },
  run: async ({ task_id, sid }, context) => {
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
    const state = stateAt(task, nowMs);
    const answer = whyOf({ task, state, selector, delivery: delivery ?? undefined, sensor, nowMs });
    return { status: 200, data: { task_id, sid, ...answer } };
  },
});
