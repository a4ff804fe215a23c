/** Pages of the tasks of an org, pending or ended. */
import type { TaskRecord } from '../../model/task.ts';
import { isDirect } from '../../model/task.ts';
import type { Reads } from '../reads.ts';
import { stateAt } from './task-view.ts';

export type Listing = 'pending' | 'ended';
export type TaskPage = { tasks: TaskRecord[]; next: string | null };

/** The next `limit` entries of a listing, without tasks that have ended or were forgotten meanwhile. `nowMs`: the clock of Redis. */
export async function readTaskPage(
  reads: Pick<Reads, 'pendingIds' | 'endedIds' | 'readTasks'>,
  oid: string,
  listing: Listing,
  limit: number,
  cursor: string | null,
  nowMs: number,
): Promise<TaskPage> {
  const idsOf = listing === 'pending' ? reads.pendingIds : reads.endedIds;
  const { ids, next } = await idsOf(oid, limit, cursor);
  const records = await reads.readTasks(oid, ids);
  const tasks = records.filter((record) => record !== null);
  return { tasks: tasks.filter((task) => (stateAt(task, nowMs) === 'pending') === (listing === 'pending')), next };
}

/** A direct task is sent at once or never and is never pending, so listings leave it out. */
export const isListed = (task: TaskRecord): boolean => !isDirect(task.command);
