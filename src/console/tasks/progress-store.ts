/**
 * The progress of the visible tasks. The counts of a task are requested when its row becomes visible, and again after an event
 * about it, at most every `FRESH_MS`. At most `AT_ONCE` requests run at a time, because each reads the sensors of the org.
 */
import { signal } from '@preact/signals';
import { action } from '../api/client.ts';
import type { TaskDetail } from '../api/types.ts';

const AT_ONCE = 2;
const FRESH_MS = 1_500;
const KNOWN_MAX = 2_000;

export type Progress = Pick<TaskDetail, 'counts' | 'state' | 'ended_at'>;

export type ProgressStore = {
  known: { readonly value: ReadonlyMap<string, Progress> };
  /** The tasks whose rows are visible. */
  inView(taskIds: readonly string[]): void;
  /** There was an event about this task. */
  touch(taskId: string): void;
};

export function createProgress(oid: string): ProgressStore {
  const known = signal<ReadonlyMap<string, Progress>>(new Map());
  const askedAtMs = new Map<string, number>();
  const stale = new Set<string>();
  let visible: readonly string[] = [];
  let running = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const isWanted = (id: string): boolean => !askedAtMs.has(id) || stale.has(id);
  const isRested = (id: string): boolean => Date.now() - (askedAtMs.get(id) ?? 0) >= FRESH_MS;

  function pump(): void {
    clearTimeout(timer);
    while (running < AT_ONCE) {
      const next = visible.find((id) => isWanted(id) && isRested(id));
      if (next === undefined) break;
      void ask(next);
    }
    if (running < AT_ONCE && visible.some(isWanted)) timer = setTimeout(pump, FRESH_MS);
  }

  async function ask(id: string): Promise<void> {
    running += 1;
    askedAtMs.set(id, Date.now());
    stale.delete(id);
    try {
      const { counts, state, ended_at } = await action<TaskDetail>(oid, 'get', { task_id: id, limit: 1 });
      const next = new Map(known.value).set(id, { counts, state, ...(ended_at === undefined ? {} : { ended_at }) });
      if (next.size > KNOWN_MAX) next.delete(next.keys().next().value as string);
      known.value = next;
    } catch {
      // The progress stays unknown until the next event about the task.
    }
    running -= 1;
    pump();
  }

  return {
    known,
    inView(taskIds) {
      visible = taskIds;
      pump();
    },
    touch(taskId) {
      stale.add(taskId);
      if (stale.size > KNOWN_MAX) stale.delete(stale.keys().next().value as string);
      pump();
    },
  };
}
