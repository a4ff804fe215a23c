/**
 * How many sensors an untask affects: those with open deliveries (queued or sent, not answered). The number is exact for a whole
 * task. With a target it is an upper bound: the server counts the sensors of a task and those of a target, but not their overlap.
 */

import { CliError } from '../errors.ts';
import type { TargetFlags } from '../options.ts';
import type { ListAnswer, PreviewAnswer, TaskDetails } from './answers.ts';
import type { Client } from './client.ts';

/** Deliveries are counted task by task up to this many tasks. Above it, the number of sensors in the target is the bound. */
const TASKS_COUNTED = 20;

export type Open = { sensors: number; isExact: boolean };

/** `taskId` undefined: all tasks. `target` as it was given, empty for all sensors. Throws CliError. */
export async function countOpen(client: Client, taskId: string | undefined, target: TargetFlags): Promise<Open> {
  if (target.sid !== undefined) return { sensors: 1, isExact: false };
  const isWhole = target.tag === undefined && (target.selector ?? '*').trim() === '*';
  if (taskId !== undefined && isWhole) return { sensors: await openOf(client, taskId), isExact: true };
  const { total_sensors: matched } = await client.request<PreviewAnswer>('preview', { ...target, limit: 1 });
  const taskIds = taskId === undefined ? await pendingIds(client, target) : [taskId];
  if (taskIds === null) return { sensors: matched, isExact: false };
  let open = 0;
  for (const id of taskIds) if (open < matched) open += await openOf(client, id);
  return { sensors: Math.min(open, matched), isExact: false };
}

/** null: more than TASKS_COUNTED. */
async function pendingIds(client: Client, target: TargetFlags): Promise<string[] | null> {
  const { tasks, next_cursor } = await client.request<ListAnswer>('list', { ...target, limit: TASKS_COUNTED });
  return next_cursor === undefined ? tasks.map(({ task_id }) => task_id) : null;
}

async function openOf(client: Client, taskId: string): Promise<number> {
  try {
    const { counts } = await client.request<TaskDetails>('get', { task_id: taskId, limit: 1 });
    return (counts.queued ?? 0) + (counts.sent ?? 0);
  } catch (error) {
    // The task has ended and was removed, or never existed: no delivery is open.
    if (error instanceof CliError && error.code === 'task_unknown') return 0;
    throw error;
  }
}
