/**
 * The tasks that one sensor was sent or has run, newest first: pending and ended ones. It reads one delivery of each task of the org, so
 * its cost depends on the number of tasks, not of sensors. The number of tasks is limited; memory holds the answer and one page.
 */
import { type Static, Type } from '@sinclair/typebox';
import { pagesOf } from '../../async/pages.ts';
import { shownTaskId, text } from '../../command/fields.ts';
import { isAnswered, stateOf } from '../../model/states.ts';
import type { Delivery } from '../../model/task.ts';
import type { Reads } from '../reads.ts';
import { ShownDeliverySchema, shownDelivery, stateAt } from '../tasks/task-view.ts';

const PAGE_TASKS = 500;
const TASKS_MAX = 20_000;

export const HistoryAnswer = Type.Object({
  tasks: Type.Array(
    Type.Object({
      task_id: shownTaskId,
      task: text('The command line.'),
      issued_by: Type.String(),
      ...ShownDeliverySchema.properties,
    }),
    { description: 'The newest first.' },
  ),
  complete: Type.Boolean({ description: `Every task of the org was read, not only the first ${TASKS_MAX}.` }),
});

type Entry = Static<typeof HistoryAnswer>['tasks'][number];

/** `complete`: every task was read. `nowMs`: the clock of Redis. */
export async function sensorHistory(
  reads: Reads,
  oid: string,
  sensor: { sid: string; online: boolean },
  limit: number,
  nowMs: number,
): Promise<Static<typeof HistoryAnswer>> {
  const found = new Map<string, Delivery>();
  let looked = 0;
  let complete = true;
  for (const idsOf of [reads.pendingIds, reads.endedIds]) {
    for await (const { ids, next } of pagesOf((cursor) => idsOf(oid, PAGE_TASKS, cursor))) {
      const deliveries = await Promise.all(ids.map((id) => reads.readDelivery(oid, id, sensor.sid)));
      for (const [i, delivery] of deliveries.entries())
        if (delivery && wasSentOrAnswered(delivery)) found.set(ids[i] as string, delivery);
      keepNewest(found, limit);
      looked += ids.length;
      if (next === null || looked < TASKS_MAX) continue;
      complete = false;
      break;
    }
  }
  return { tasks: await entriesOf(reads, oid, found, sensor.online, nowMs), complete };
}

/** The sensor was sent the task, or has answered it. */
const wasSentOrAnswered = (delivery: Delivery): boolean =>
  delivery.attempt > 0 || isAnswered(stateOf('pending', delivery));

function keepNewest(found: Map<string, Delivery>, limit: number): void {
  if (found.size <= limit) return;
  const newest = [...found].sort(([, a], [, b]) => b.atMs - a.atMs).slice(0, limit);
  found.clear();
  for (const [id, delivery] of newest) found.set(id, delivery);
}

async function entriesOf(
  reads: Reads,
  oid: string,
  found: ReadonlyMap<string, Delivery>,
  online: boolean,
  nowMs: number,
): Promise<Entry[]> {
  const tasks = await reads.readTasks(oid, [...found.keys()]);
  const entries = tasks.flatMap((task): Entry[] => {
    if (task === null) return [];
    const { task: command, issued_by } = task.command;
    const shown = shownDelivery(task, stateAt(task, nowMs), found.get(task.taskId), online);
    return [{ task_id: task.taskId, task: command ?? '', issued_by, ...shown }];
  });
  return entries.sort((a, b) => b.at - a.at);
}
