/**
 * `get`: one task, pending or ended, the number of sensors in each state, and a page of them in the order of their sids. The counts
 * are a fold of the states that the pages show. Memory holds what is stored of the task, and one page.
 */
import { type Static, Type } from '@sinclair/typebox';
import { ms, NAME_PATTERN, nextCursor, oneOf, page } from '../../command/fields.ts';
import { data, taskId } from '../../command/schemas.ts';
import { noCounts } from '../../model/states.ts';
import { cursorOf, startOf } from '../http/cursor.ts';
import { stillUsable } from '../reads.ts';
import { Smallest } from '../tasks/smallest.ts';
import { readTask, taskSensors } from '../tasks/task-sensors.ts';
import { CountsSchema, type DeliveryRow, DeliveryRowSchema, TaskEntrySchema, taskEntry } from '../tasks/task-view.ts';
import { type ActionContext, defineAction, READ } from './action.ts';

const PAGE_SENSORS = 1_000;

const GetSchema = data({ task_id: Type.String({ pattern: NAME_PATTERN, ...taskId }), ...page });

const GetAnswer = Type.Object({
  ...TaskEntrySchema.properties,
  state: oneOf(['pending', 'expired', 'removed'], 'The state of the task.'),
  ended_at: Type.Optional(ms('End of an ended task')),
  counts: CountsSchema,
  sensors: Type.Array(DeliveryRowSchema, { description: 'A page, in the order of their sids.' }),
  next_cursor: nextCursor,
});

export const get = defineAction({
  name: 'get',
  rights: READ,
  summary: 'Shows one task and the states of its sensors.',
  schema: GetSchema,
  answers: { 200: GetAnswer },
  run: async (query, context) => ({ status: 200, data: await getTask(query, context) }),
});

async function getTask(query: Static<typeof GetSchema>, context: ActionContext): Promise<Static<typeof GetAnswer>> {
  const listing = `get ${query.task_id}`;
  const after = startOf(listing, query.cursor) ?? '';
  context.logIds.task_id = query.task_id;
  const found = await readTask(context, context.oid, query.task_id);
  const { task, state, deliveries, epoch } = found;
  const counts = noCounts();
  const rows = new Smallest<DeliveryRow>(query.limit ?? PAGE_SENSORS, ({ sid }) => sid);
  for await (const batch of taskSensors(context, context.oid, found))
    for (const { row } of batch) {
      counts[row.state] += 1;
      if (row.sid > after) rows.add(row);
    }
  await stillUsable(context.reads, context.oid, epoch);
  const sensors = rows.sorted();
  return {
    ...taskEntry(task, deliveries),
    state,
    ...(state === 'pending' ? {} : { ended_at: task.endedAtMs ?? task.expiresAtMs }),
    counts,
    sensors,
    ...(rows.overflowed ? { next_cursor: cursorOf(listing, sensors.at(-1)?.sid ?? '') } : {}),
  };
}
