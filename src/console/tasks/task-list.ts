/**
 * The list of tasks: what the live events change in it, which tasks a search finds, and in which order. It runs while the user
 * scrolls, so it takes milliseconds with 10,000 tasks. Pure.
 */
import type { ActivityEvent, Task } from '../api/types.ts';

/** The changes of the pending tasks. The latest event about a task counts. */
export type Changes = { added: Map<string, Task>; gone: Set<string> };

export const noChanges = (): Changes => ({ added: new Map(), gone: new Set() });

/** Adds an event. Returns false if it concerns one delivery and no whole task. */
export function note(changes: Changes, name: string, activity: ActivityEvent): boolean {
  const { task_id: id, sid } = activity.event;
  if (name === 'add_task') {
    changes.added.set(id, taskOf(activity));
    return true;
  }
  if (name !== 'task_expired' && (name !== 'task_removed' || sid !== undefined)) return false;
  changes.added.delete(id);
  changes.gone.add(id);
  return true;
}

/** Applies the changes. Tasks that are in the list already stay as they are. */
export function changed(tasks: readonly Task[], { added, gone }: Changes): readonly Task[] {
  const fresh = new Map(added);
  const kept = tasks.filter(({ task_id: id }) => {
    fresh.delete(id);
    return !gone.has(id);
  });
  return [...kept, ...fresh.values()];
}

/** As the action `list` shows it. A new task has no acknowledgements. */
function taskOf({ routing, event }: ActivityEvent): Task {
  const { task_id, task = '', selector, context = null, ttl = 0, issued_by = '', expires_at } = event;
  return {
    task_id,
    task,
    context,
    ttl,
    issued_by,
    sensor_selector: selector || '*',
    created_at: expires_at === undefined ? routing.event_time : expires_at - ttl * 1_000,
    expires_at: expires_at ?? routing.event_time + ttl * 1_000,
    acknowledged: [],
    acknowledged_count: 0,
  };
}

export const ORDERS: Readonly<Record<string, { title: string; compare(a: Task, b: Task): number }>> = {
  newest: { title: 'Newest first', compare: (a, b) => b.created_at - a.created_at },
  oldest: { title: 'Oldest first', compare: (a, b) => a.created_at - b.created_at },
  ending: { title: 'Expiring first', compare: (a, b) => a.expires_at - b.expires_at },
  command: { title: 'By command line', compare: (a, b) => (a.task < b.task ? -1 : Number(a.task > b.task)) },
};

const searched = new WeakMap<Task, string>();

function textOf(task: Task): string {
  const known = searched.get(task);
  if (known !== undefined) return known;
  const { task: command, sensor_selector: selector, context, issued_by: by, task_id: id } = task;
  const text = `${command}\n${selector}\n${context ?? ''}\n${by}\n${id}`.toLowerCase();
  searched.set(task, text);
  return text;
}

/** The tasks that contain every word in command line, selector, context, issuer or id, in the named order. */
export function shownTasks(tasks: readonly Task[], words: string, order: string): readonly Task[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const found =
    wanted.length === 0 ? [...tasks] : tasks.filter((task) => wanted.every((w) => textOf(task).includes(w)));
  const compare = ORDERS[order]?.compare;
  return compare ? found.sort(compare) : found;
}
