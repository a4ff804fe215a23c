import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ActivityEvent, Task } from '../../../src/console/api/types.ts';
import { changed, noChanges, note, ORDERS, shownTasks } from '../../../src/console/tasks/task-list.ts';

const task = (task_id: string, part: Partial<Task> = {}): Task => ({
  task_id,
  task: 'os_version',
  sensor_selector: '*',
  context: null,
  ttl: 60,
  created_at: 1_000,
  expires_at: 61_000,
  issued_by: 'key',
  acknowledged: [],
  acknowledged_count: 0,
  ...part,
});
const event = (task_id: string, fields: Partial<ActivityEvent['event']> = {}) =>
  ({ routing: { event_time: 1_500 }, event: { task_id, ...fields } }) as ActivityEvent;
const ADDED = { task: 'os_version', selector: '*', context: null, ttl: 60, issued_by: 'key', expires_at: 61_000 };

describe('changes', () => {
  test('an added task has the fields of the listing', () => {
    const changes = noChanges();
    expect(note(changes, 'add_task', event('a', ADDED))).toBe(true);
    expect(changed([], changes)).toEqual([task('a')]);
  });

  test('a known task stays as it is, and an ended one leaves the list', () => {
    const changes = noChanges();
    const known = task('a', { acknowledged_count: 5 });
    for (const [name, id] of [
      ['add_task', 'a'],
      ['task_expired', 'b'],
      ['task_removed', 'c'],
    ] as const)
      note(changes, name, event(id, ADDED));
    expect(changed([known, task('b'), task('c'), task('d')], changes)).toEqual([known, task('d')]);
  });

  test('an event about one delivery does not change the list', () => {
    const changes = noChanges();
    expect(note(changes, 'task_removed', event('a', { sid: 's' }))).toBe(false);
    for (const name of ['try_task', 'task_sent', 'task_done', 'task_failure'])
      expect(note(changes, name, event('a'))).toBe(false);
    expect(changed([task('a')], changes)).toEqual([task('a')]);
  });

  test('the list is the same for any batches, and when they are applied twice', () => {
    const step = fc.record({ id: fc.constantFrom('a', 'b', 'c'), name: fc.constantFrom('add_task', 'task_removed') });
    fc.assert(
      fc.property(fc.array(step), fc.array(fc.boolean()), (steps, cuts) => {
        // An id that was removed is not added again: ids are used once.
        const ended = new Set<string>();
        const real = steps.filter(({ id, name }) => (name === 'add_task' ? !ended.has(id) : ended.add(id)));
        let list: readonly Task[] = [];
        let batch = noChanges();
        const whole = noChanges();
        for (const [i, { id, name }] of real.entries()) {
          for (const changes of [batch, whole]) note(changes, name, event(id, ADDED));
          if (!cuts[i]) continue;
          list = changed(list, batch);
          batch = noChanges();
        }
        const ids = (tasks: readonly Task[]) => tasks.map(({ task_id }) => task_id).sort();
        list = changed(list, batch);
        expect(ids(list)).toEqual(ids(changed([], whole)));
        expect(ids(changed(list, whole))).toEqual(ids(list));
      }),
    );
  });
});

describe('search and order', () => {
  const tasks = [
    task('1', { task: 'netstat', context: 'Case-7', created_at: 3, expires_at: 9 }),
    task('2', { task: 'dir_list', sensor_selector: 'plat == linux', created_at: 1, expires_at: 7 }),
    task('3', { task: 'os_version', issued_by: 'night', created_at: 2, expires_at: 8 }),
  ];
  const ids = (words: string, order: string) =>
    shownTasks(tasks, words, order)
      .map(({ task_id }) => task_id)
      .join('');

  test.each([
    ['', '132'],
    ['case-7 NET', '1'],
    ['linux', '2'],
    ['night', '3'],
    ['case-7 linux', ''],
  ])('%j finds %s', (words, found) => expect(ids(words, 'newest')).toBe(found));

  test('each order sorts a copy', () => {
    expect(Object.keys(ORDERS).map((order) => ids('', order))).toEqual(['132', '231', '231', '213']);
    expect(tasks.map(({ task_id }) => task_id).join('')).toBe('123');
  });
});
