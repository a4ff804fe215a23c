/**
 * `untask`: removes a task, all tasks, or the deliveries of some sensors. It answers 200 when no dispatch of them can be written any
 * more: the command is applied, and the claims that were taken before it are over (applied.ts). 202: the command is on the log and
 * will be applied.
 *
 * An UNTASK is written for an unknown task id too: the task may be on the log but not in the projection yet. `deleted` counts the
 * deliveries that were still due, `tasks` the tasks removed. Both are counted after the command is applied.
 */
import { type Static, Type } from '@sinclair/typebox';
import { pagesOf } from '../../async/pages.ts';
import { shownTaskId, whole } from '../../command/fields.ts';
import { UntaskSchema } from '../../command/schemas.ts';
import { readTarget, type Target } from '../../command/target.ts';
import { untaskCommandOf } from '../../command/task-command.ts';
import { ApiError } from '../../errors.ts';
import type { Delivery, TaskRecord } from '../../model/task.ts';
import { usableStatus } from '../reads.ts';
import { treeOf } from '../sensors/sensors.ts';
import { deliveriesOf, dueFor, eachMatch, TargetSensors } from '../tasks/open-deliveries.ts';
import { readTaskPage } from '../tasks/task-pages.ts';
import { isDue, stateAt } from '../tasks/task-view.ts';
import { type ActionContext, defineAction, originOf, type ResultOf, WRITE } from './action.ts';

/** Commands written, and tasks read, at a time. */
const PAGE_TASKS = 500;

/** The tasks to remove, or to withdraw from the sensors of the target, and those that had already ended. */
type Plan = { ids: string[]; target: Target; ended: ReadonlySet<string> };

const answers = {
  200: Type.Object({
    deleted: whole('Deliveries that were still due.'),
    tasks: whole('Tasks removed as a whole.'),
  }),
  202: Type.Object({ task_id: Type.Optional(shownTaskId) }),
};
type Result = ResultOf<typeof answers>;

export const untask = defineAction({
  name: 'untask',
  rights: WRITE,
  summary: 'Removes tasks, or withdraws them from some sensors.',
  schema: UntaskSchema,
  oneOf: [['task_id', 'sid', 'tag', 'selector']],
  answers,
  run: removeTasks,
});

const isWhole = (target: Target): boolean => target.selector === '*';

async function removeTasks(fields: Static<typeof UntaskSchema>, context: ActionContext): Promise<Result> {
  const target = readTarget(fields);
  const taskId = fields.task_id ?? null;
  if (taskId === null && !target.given)
    throw new ApiError('target_missing', 'Give task_id, or one of sid, tag and selector (`*` for all tasks).');
  if (taskId !== null) context.logIds.task_id = taskId;
  const { nowMs } = await usableStatus(context.reads, context.oid);
  const plan = taskId === null ? await planAll(context, target, nowMs) : await planOne(context, taskId, target, nowMs);
  return carryOut(context, plan, taskId === null ? {} : { task_id: taskId });
}

async function planOne(context: ActionContext, taskId: string, target: Target, nowMs: number): Promise<Plan> {
  const [known] = await context.reads.readTasks(context.oid, [taskId]);
  const isEnded = known && stateAt(known, nowMs) !== 'pending';
  return { ids: [taskId], target, ended: new Set(isEnded ? [taskId] : []) };
}

/** All pending tasks. For a target only those that at least one of its sensors still has to run: for each task, the projector has to
 *  read every sensor. */
async function planAll(context: ActionContext, target: Target, nowMs: number): Promise<Plan> {
  const ids: string[] = [];
  const sensors = new TargetSensors(context, context.oid, treeOf(target.selector));
  const pages = pagesOf((cursor) => readTaskPage(context.reads, context.oid, 'pending', PAGE_TASKS, cursor, nowMs));
  for await (const page of pages) {
    if (isWhole(target)) ids.push(...page.tasks.map(({ taskId }) => taskId));
    else
      for await (const entries of dueFor(context, context.oid, page.tasks, sensors))
        ids.push(...entries.map(({ task }) => task.taskId));
  }
  return { ids, target, ended: new Set() };
}

async function carryOut(context: ActionContext, plan: Plan, accepted: { task_id?: string }): Promise<Result> {
  const offsets = await append(context, plan);
  const logOffsets = [...offsets.values()];
  const epoch = await context.applied.applied(context.oid, logOffsets, context.config.API_APPLY_WAIT_MS);
  if (epoch === null) return { status: 202, data: accepted };
  await context.applied.claimsOver(context.oid, epoch);
  try {
    return { status: 200, data: await count(context, plan, offsets) };
  } catch (error) {
    context.log.warn(
      { err: error, oid: context.oid, ...accepted },
      'untask applied, but its deliveries could not be counted; answering 202',
    );
    return { status: 202, data: accepted };
  }
}

type LogOffsets = Map<string, { partition: number; offset: number }>;

async function append(context: ActionContext, { ids, target }: Plan): Promise<LogOffsets> {
  const origin = originOf(context);
  const logOffsets: LogOffsets = new Map();
  for (let at = 0; at < ids.length; at += PAGE_TASKS) {
    const some = ids.slice(at, at + PAGE_TASKS);
    const written = await context.commands.append(some.map((id) => untaskCommandOf(id, target, origin, context.rules)));
    for (const [i, logOffset] of written.entries()) logOffsets.set(some[i] as string, logOffset);
  }
  return logOffsets;
}

async function count(context: ActionContext, { ids, target, ended }: Plan, logOffsets: LogOffsets) {
  const total = { deleted: 0, tasks: 0 };
  // The reason of a withdrawn delivery is the offset of the command that withdrew it.
  const withdrawn = (delivery: Delivery | undefined, task: TaskRecord) =>
    delivery?.state === 'removed' && delivery.reason === String(logOffsets.get(task.taskId)?.offset);
  const isWanted = isWhole(target) ? isDue : withdrawn;
  const sensors = new TargetSensors(context, context.oid, isWhole(target) ? null : treeOf(target.selector));
  for (let at = 0; at < ids.length; at += PAGE_TASKS) {
    const tasks = await context.reads.readTasks(context.oid, ids.slice(at, at + PAGE_TASKS));
    const touched = tasks.filter(
      (task) => task !== null && !ended.has(task.taskId) && (!isWhole(target) || task.state === 'removed'),
    ) as TaskRecord[];
    if (isWhole(target)) total.tasks += touched.length;
    const counted = () => {
      total.deleted += 1;
      return undefined;
    };
    for await (const entries of deliveriesOf(context, context.oid, touched))
      await eachMatch(entries, sensors, counted, isWanted);
  }
  return total;
}
