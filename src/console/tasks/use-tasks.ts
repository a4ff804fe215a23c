/**
 * The tasks of the org, kept current by the live events: read page by page once, up to a limit, then updated by the events, a
 * few times a second at most. Ended tasks are read again instead, because an event does not have all fields of the list.
 */
import { useEffect, useState } from 'preact/hooks';
import { action } from '../api/client.ts';
import { gaps, onActivity } from '../api/stream.ts';
import type { Task, TaskPage } from '../api/types.ts';
import { sentenceOf, useRetry } from '../ui/async.ts';
import { type Changes, changed, noChanges, note } from './task-list.ts';

export type Listing = 'pending' | 'ended';

const PAGE = 500;
const TASKS_MAX = 20_000;
const DRAW_MS = 500;
const READ_AGAIN_MS = 3_000;

/** `isWhole`: all tasks are read. */
export type Tasks = { tasks: readonly Task[]; fault: string | null; isWhole: boolean; again(): void };

type Read = { of: string; tasks: readonly Task[]; isWhole: boolean };

export function useTasks(oid: string, listing: Listing): Tasks {
  const of = `${oid} ${listing}`;
  const [read, setRead] = useState<Read>({ of, tasks: [], isWhole: false });
  const [error, setError] = useState<unknown>(null);
  const [round, setRound] = useState(0);
  const again = () => setRound((n) => n + 1);
  useEffect(() => {
    const stopping = new AbortController();
    let since: Changes | null = noChanges();
    let fresh = noChanges();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const draw = () => {
      timer = undefined;
      if (listing === 'ended') return again();
      const some = fresh;
      fresh = noChanges();
      setRead((was) => ({ ...was, tasks: changed(was.tasks, some) }));
    };
    const stop = onActivity((name, activity) => {
      if (since) note(since, name, activity);
      if (note(fresh, name, activity)) timer ??= setTimeout(draw, listing === 'ended' ? READ_AGAIN_MS : DRAW_MS);
    });
    const onPage = (all: readonly Task[], isLast: boolean, isWhole: boolean) => {
      // Events that came during the read may be in the page or not.
      const tasks = listing === 'pending' && since ? changed(all, since) : all;
      // A later read replaces the list when it is complete.
      setRead((was) => (was.of === of && was.isWhole && !isLast ? was : { of, tasks, isWhole }));
      if (isLast) since = null;
      setError(null);
    };
    readAll(oid, listing, stopping.signal, onPage).catch((reason) => stopping.signal.aborted || setError(reason));
    return () => {
      stop();
      clearTimeout(timer);
      stopping.abort();
    };
  }, [oid, listing, round, gaps.value]);
  useRetry(error, again);
  const { tasks, isWhole } = read.of === of ? read : { tasks: [], isWhole: false };
  return { tasks, fault: error === null ? null : sentenceOf(error), isWhole, again };
}

type OnPage = (all: readonly Task[], isLast: boolean, isWhole: boolean) => void;

/** Calls `onPage` after each page with all tasks so far. */
async function readAll(oid: string, listing: Listing, stopped: AbortSignal, onPage: OnPage): Promise<void> {
  const all: Task[] = [];
  let cursor: string | undefined;
  do {
    const query = { limit: PAGE, ...(listing === 'ended' ? { state: 'ended' } : {}), ...(cursor ? { cursor } : {}) };
    const page = await action<TaskPage>(oid, 'list', query, stopped);
    if (stopped.aborted) return;
    all.push(...page.tasks);
    cursor = page.next_cursor;
    onPage([...all], cursor === undefined || all.length >= TASKS_MAX, cursor === undefined);
  } while (cursor !== undefined && all.length < TASKS_MAX);
}
