/**
 * `get`: one task, pending or ended, how many sensors stand where, and a page of them in the order of their sids. The
 * counts are a fold of the same states that the pages show. Memory holds what is stored of the task, and one page.
 */
import type { Static } from '@sinclair/typebox';
import { readerOf } from '../../command/reader.ts';
import { GetSchema } from '../../command/schemas.ts';
import { noCounts } from '../../model/states.ts';
import { cursorOf, placeOf } from '../http/cursor.ts';
import { stillUsable } from '../reads.ts';
import { Smallest } from '../tasks/smallest.ts';
import { readTask, taskSensors } from '../tasks/task-sensors.ts';
import { taskEntry } from '../tasks/task-view.ts';
import type { DeliveryRow, GetAnswer } from './answers.ts';
import type { ActionContext, ActionResult } from './context.ts';

const PAGE_SENSORS = 1_000;

const read = readerOf(GetSchema);

export async function get(data: unknown, context: ActionContext): Promise<ActionResult> {
  const query = read(data);
  const listing = `get ${query.task_id}`;
  const after = placeOf(listing, query.cursor) ?? '';
  context.logIds.task_id = query.task_id;
  const found = await readTask(context, context.oid, query.task_id);
  const { task, state, deliveries, epoch } = found;
  const counts = noCounts();
  const page = new Smallest<DeliveryRow>(query.limit ?? PAGE_SENSORS, ({ sid }) => sid);
  for await (const sensors of taskSensors(context, context.oid, found))
    for (const { row } of sensors) {
      counts[row.state] += 1;
      if (row.sid > after) page.add(row);
    }
  await stillUsable(context.reads, context.oid, epoch);
  const rows = page.sorted();
  return {
    status: 200,
    data: {
      ...taskEntry(task, deliveries),
      state,
      ...(state === 'pending' ? {} : { ended_at: task.endedAtMs ?? task.expiresAtMs }),
      counts,
      sensors: rows,
      ...(page.overflowed ? { next_cursor: cursorOf(listing, rows.at(-1)?.sid ?? '') } : {}),
    } satisfies Static<typeof GetAnswer>,
  };
}
