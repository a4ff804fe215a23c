/**
 * `list`: the tasks of the org, pending or ended. Without `limit` all of them, written as they are read: neither the tasks
 * nor the JSON are ever whole in memory. With a target, those that at least one of these sensors still has to run.
 *
 * A task that is added or ends while the listing runs may be in it or not; every other task is in it once. If the projection
 * is lost meanwhile, the answer breaks off instead of looking complete.
 */

import { pagesOf } from '../../async/pages.ts';
import { readerOf } from '../../command/reader.ts';
import { type ListData, ListSchema } from '../../command/schemas.ts';
import { readTarget } from '../../command/target.ts';
import { ApiError } from '../../errors.ts';
import type { SelectorAst } from '../../selector/index.ts';
import { cursorOf, placeOf } from '../http/cursor.ts';
import { stillUsable, usableStatus } from '../reads.ts';
import { treeOf } from '../sensors/sensors.ts';
import { deliveriesOf, dueFor, TargetSensors } from '../tasks/open-deliveries.ts';
import { isListed, type Listing, readTaskPage } from '../tasks/task-pages.ts';
import { taskEntry } from '../tasks/task-view.ts';
import type { ActionContext, ActionResult } from './context.ts';

const PAGE_TASKS = 200;
/** An entry names 1,000 sensors at most: what is held before it is sent stays small. */
const PIECE_CHARACTERS = 256 * 1024;
/** A page with a target looks at no more tasks than this, and may come out shorter than its limit. */
const PAGE_TASKS_MAX = 20_000;

const read = readerOf(ListSchema);
/** A score and an id: what the projection goes on from. */
const PLACE = /^\d{1,17} \S{1,128}$/;

export async function list(data: unknown, context: ActionContext): Promise<ActionResult> {
  const query = read(data);
  const target = readTarget(query);
  const listing: Listing = query.state ?? 'pending';
  const place = placeOf(listing, query.cursor);
  if (place !== null && !PLACE.test(place))
    throw new ApiError('data_invalid', 'cursor must be the next_cursor of an earlier answer to the same request.');
  const { epoch, nowMs } = await usableStatus(context.reads, context.oid);
  const tree = target.selector === '*' ? null : treeOf(target.selector);
  return { status: 200, pieces: pieces(context, query, listing, place, tree, epoch, nowMs) };
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
