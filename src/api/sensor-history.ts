/**
 * What one sensor was sent or has run, newest first: tasks that wait and tasks that have ended, as long as they are known.
 * One stored pair is asked for of each task, so that it costs the org's tasks, not its sensors. Bounded in tasks looked at;
 * memory holds what is answered and one page.
 */
import type { Static } from '@sinclair/typebox';
import { isAnswered, stateOf } from '../model/states.ts';
import type { Pair } from '../model/task.ts';
import type { HistoryAnswer } from './answers.ts';
import type { Reads } from './reads.ts';
import { shownPair, stateAt } from './task-view.ts';

const PAGE_TASKS = 500;
const TASKS_MAX = 20_000;

type Entry = Static<typeof HistoryAnswer>['tasks'][number];

/** `complete`: every task was looked at. `nowMs`: the clock of Redis. */
export async function sensorHistory(
  reads: Reads,
  oid: string,
  sensor: { sid: string; online: boolean },
  limit: number,
  nowMs: number,
): Promise<Static<typeof HistoryAnswer>> {
  const found = new Map<string, Pair>();
  let looked = 0;
  let complete = true;
  for (const idsOf of [reads.pendingIds, reads.endedIds]) {
    let place: string | null = null;
    do {
      const { ids, next }: { ids: string[]; next: string | null } = await idsOf(oid, PAGE_TASKS, place);
      const pairs = await Promise.all(ids.map((id) => reads.readPair(oid, id, sensor.sid)));
      for (const [i, pair] of pairs.entries()) if (pair && hasMet(pair)) found.set(ids[i] as string, pair);
      keepNewest(found, limit);
      looked += ids.length;
      place = next;
    } while (place !== null && looked < TASKS_MAX);
    complete &&= place === null;
  }
  return { tasks: await entriesOf(reads, oid, found, sensor.online, nowMs), complete };
}

/** It was sent the task, or has answered it. */
const hasMet = (pair: Pair): boolean => pair.attempt > 0 || isAnswered(stateOf('pending', pair));

function keepNewest(found: Map<string, Pair>, limit: number): void {
  if (found.size <= limit) return;
  const newest = [...found].sort(([, a], [, b]) => b.atMs - a.atMs).slice(0, limit);
  found.clear();
  for (const [id, pair] of newest) found.set(id, pair);
}

async function entriesOf(
  reads: Reads,
  oid: string,
  found: ReadonlyMap<string, Pair>,
  online: boolean,
  nowMs: number,
): Promise<Entry[]> {
  const tasks = await reads.readTasks(oid, [...found.keys()]);
  const entries = tasks.flatMap((task): Entry[] => {
    if (task === null) return [];
    const { task: command, issued_by } = task.command;
    const shown = shownPair(task, stateAt(task, nowMs), found.get(task.taskId), online);
    return [{ task_id: task.taskId, task: command ?? '', issued_by, ...shown }];
  });
  return entries.sort((a, b) => b.at - a.at);
}
