/**
 * `get`: one task, pending or ended, how many sensors stand where, and a page of them in the order of their sids. The
 * counts are a fold of the same states that the pages show. A sensor belongs to the task if it matches now or has a stored
 * state; one that enrolled after the task had ended does not. Memory holds the stored pairs and one page.
 */
import type { Static } from '@sinclair/typebox';
import { ApiError } from '../../errors.ts';
import { noCounts } from '../../model/states.ts';
import type { Pair, TaskRecord, TaskState } from '../../model/task.ts';
import { compileSelector } from '../../selector/index.ts';
import type { GetAnswer, PairRow } from '../answers.ts';
import { cursorOf, placeOf } from '../cursor.ts';
import { readerOf } from '../reader.ts';
import { stillUsable, usableStatus } from '../reads.ts';
import { GetSchema } from '../schemas.ts';
import { sensorsFor, treeOf } from '../sensors.ts';
import { Smallest } from '../smallest.ts';
import { shownPair, stateAt, taskEntry } from '../task-view.ts';
import type { ActionContext, ActionResult } from './context.ts';

const PAGE_SENSORS = 1_000;

const read = readerOf(GetSchema);

export async function get(data: unknown, context: ActionContext): Promise<ActionResult> {
  const query = read(data);
  const listing = `get ${query.task_id}`;
  const after = placeOf(listing, query.cursor) ?? '';
  context.logIds.task_id = query.task_id;
  const { epoch, nowMs } = await usableStatus(context.reads, context.oid);
  const [task] = await context.reads.readTasks(context.oid, [query.task_id]);
  if (!task) throw new ApiError('task_unknown', `The org has no task ${query.task_id}, or it ended long ago.`);
  const pairs = await context.reads.readPairs(context.oid, task.taskId);
  const state = stateAt(task, nowMs);
  const limit = query.limit ?? PAGE_SENSORS;
  const { counts, rows, isLast } = await foldSensors(context, task, state, pairs, after, limit);
  await stillUsable(context.reads, context.oid, epoch);
  return {
    status: 200,
    data: {
      ...taskEntry(task, pairs),
      state,
      ...(state === 'pending' ? {} : { ended_at: task.endedAtMs ?? task.expiresAtMs }),
      counts,
      sensors: rows,
      ...(isLast ? {} : { next_cursor: cursorOf(listing, rows.at(-1)?.sid ?? '') }),
    } satisfies Static<typeof GetAnswer>,
  };
}

async function foldSensors(
  context: ActionContext,
  task: TaskRecord,
  state: TaskState,
  pairs: Map<string, Pair>,
  after: string,
  limit: number,
) {
  const counts = noCounts();
  const page = new Smallest<PairRow>(limit, ({ sid }) => sid);
  const add = (sid: string, hostname: string, online: boolean) => {
    const shown = shownPair(task, state, pairs.get(sid), online);
    counts[shown.state] += 1;
    if (sid > after) page.add({ sid, hostname, ...shown });
  };
  const unseen = new Set(pairs.keys());
  const tree = treeOf(task.command.selector);
  const matches = tree === null ? () => false : compileSelector(tree);
  const endedAtMs = task.endedAtMs ?? Number.POSITIVE_INFINITY;
  for await (const sensors of sensorsFor(context, context.oid, tree === null ? [] : [tree]))
    for (const { sid, hostname, online, enrolledAtMs, record } of sensors) {
      const isStored = unseen.delete(sid);
      if (isStored || (matches(record) === true && (enrolledAtMs ?? 0) <= endedAtMs)) add(sid, hostname, online);
    }
  for (const sid of unseen) add(sid, '', false);
  return { counts, rows: page.sorted(), isLast: !page.overflowed };
}
