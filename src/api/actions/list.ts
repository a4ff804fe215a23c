/**
 * `list`: the tasks of the org, pending or ended. Without `limit` it streams all of them: memory never holds all tasks or all of the
 * JSON. With a target, it lists the tasks that at least one of these sensors still has to run.
 *
 * A task that is added or ends during the listing may be in it or not; every other task is in it once. If the projection is lost
 * during the listing, the answer breaks off, so that it does not look complete.
 */
import { type Static, Type } from '@sinclair/typebox';
import { pagesOf } from '../../async/pages.ts';
import { nextCursor } from '../../command/fields.ts';
import { ListSchema } from '../../command/schemas.ts';
import { readTarget } from '../../command/target.ts';
import { ApiError } from '../../errors.ts';
import type { SelectorAst } from '../../selector/ast.ts';
import { cursorOf, startOf } from '../http/cursor.ts';
import { stillUsable, usableStatus } from '../reads.ts';
import { treeOf } from '../sensors/sensors.ts';
import { deliveriesOf, dueFor, TargetSensors } from '../tasks/open-deliveries.ts';
import { isListed, type Listing, readTaskPage } from '../tasks/task-pages.ts';
import { TaskEntrySchema, taskEntry } from '../tasks/task-view.ts';
import { type ActionContext, defineAction, READ } from './action.ts';

const PAGE_TASKS = 200;
/** An entry names at most 1,000 sensors, so the text that is held before it is sent stays small. */
const PIECE_CHARACTERS = 256 * 1024;
/** A page with a target reads at most so many tasks, and may be shorter than its limit. */
const PAGE_TASKS_MAX = 20_000;

/** A score and an id: the cursor of the projection. */
const PROJECTION_CURSOR = /^\d{1,17} \S{1,128}$/;

type ListData = Static<typeof ListSchema>;

export const list = defineAction({
  name: 'list',
  rights: READ,
  summary: 'Lists the tasks of the org.',
  schema: ListSchema,
  answers: { 200: Type.Object({ tasks: Type.Array(TaskEntrySchema), next_cursor: nextCursor }) },
  run: async (query, context) => ({ status: 200, pieces: await listTasks(query, context) }),
});

async function listTasks(query: ListData, context: ActionContext): Promise<AsyncGenerator<string>> {
  const target = readTarget(query);
  const listing: Listing = query.state ?? 'pending';
  const start = startOf(listing, query.cursor);
  if (start !== null && !PROJECTION_CURSOR.test(start))
    throw new ApiError('data_invalid', 'cursor must be the next_cursor of an earlier answer to the same request.');
  const { epoch, nowMs } = await usableStatus(context.reads, context.oid);
  const tree = target.selector === '*' ? null : treeOf(target.selector);
  return pieces(context, query, listing, start, tree, epoch, nowMs);
}

async function* pieces(
  context: ActionContext,
  query: ListData,
  listing: Listing,
  start: string | null,
  target: SelectorAst | null,
  epoch: string,
  nowMs: number,
): AsyncGenerator<string> {
  const { oid } = context;
  const sensors = new TargetSensors(context, oid, target);
  const limit = query.limit ?? Number.POSITIVE_INFINITY;
  let written = 0;
  let looked = 0;
  const readPage = (cursor: string | null) => {
    const size = Math.min(PAGE_TASKS, limit - written);
    looked += size;
    return readTaskPage(context.reads, oid, listing, size, cursor, nowMs);
  };
  let next: string | null = null;
  let text = '{"tasks":[';
  for await (const page of pagesOf(readPage, start)) {
    const tasks = page.tasks.filter(isListed);
    const batches = target === null ? deliveriesOf(context, oid, tasks) : dueFor(context, oid, tasks, sensors);
    for await (const entries of batches) {
      for (const { task, deliveries } of entries) {
        text += (written === 0 ? '' : ',') + JSON.stringify(taskEntry(task, deliveries));
        written += 1;
      }
      if (text.length < PIECE_CHARACTERS) continue;
      await stillUsable(context.reads, oid, epoch);
      yield text;
      text = '';
    }
    await stillUsable(context.reads, oid, epoch);
    next = page.next;
    if (next === null || written >= limit || (query.limit != null && looked >= PAGE_TASKS_MAX)) break;
    yield text;
    text = '';
  }
  yield next === null ? `${text}]}` : `${text}],"next_cursor":${JSON.stringify(cursorOf(listing, next))}}`;
}
