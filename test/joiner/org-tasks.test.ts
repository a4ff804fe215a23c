import { describe, expect, it } from 'vitest';
import { addSensor, newOrgPartition, type Sensor } from '../../src/joiner/org-partition.ts';
import { type NextClaim, OrgTasks } from '../../src/joiner/org-tasks.ts';
import { mayBeDue, settle } from '../../src/joiner/redelivery.ts';
import { newSensor } from '../../src/model/sensor.ts';
import type { TaskRecord } from '../../src/model/task.ts';

const record = (taskId: string, selector: string | null, task = 'os_version'): TaskRecord => ({
  taskId,
  state: 'pending',
  expiresAtMs: 9,
  endedAtMs: null,
  contentHash: '',
  offset: 0,
  command: {
    action: 'TASK',
    oid: 'o',
    task_id: taskId,
    task,
    selector,
    context: 'ctx',
    ttl: 60,
    issued_at: 0,
    issued_by: '',
    untask_selector: null,
    options: null,
  },
});
const sensorOf = (sid: string): Sensor =>
  Object.assign(addSensor(newOrgPartition('o', 0), newSensor('o', sid), 0), { connectionHash: 'now' });

describe('a delivery in memory', () => {
  it.each<[string, NextClaim | 'settled' | undefined, boolean]>([
    ['nothing is known about it', undefined, true],
    ['an attempt is outstanding', { connectionHash: 'now', untilMono: 101 }, false],
    ['its redelivery time has come', { connectionHash: 'now', untilMono: 100 }, true],
    ['the sensor has connected again', { connectionHash: 'before', untilMono: 101 }, true],
    ['it is settled', 'settled', false],
  ])('may be due if %s: %3$s', (_why, next, due) => {
    const task = new OrgTasks().add(record('a', null), 0);
    const sensor = sensorOf('s');
    if (next === 'settled') settle(task, sensor);
    else if (next) task.nextClaims.set(sensor, next);
    expect(mayBeDue(task, sensor, 100)).toBe(due);
  });
});

describe('the tasks of an org', () => {
  it('match the sensors that their selectors select, until they are removed', () => {
    const tasks = new OrgTasks();
    const all = tasks.add(record('all', null), 5);
    tasks.add(record('one', "sid == 'a'"), 5);
    const matched = (sid: string) =>
      tasks
        .match(sensorOf(sid))
        .map(({ taskId }) => taskId)
        .toSorted();
    expect(matched('a')).toEqual(['all', 'one']);
    expect(matched('b')).toEqual(['all']);
    expect(all).toMatchObject({ investigationId: 'ctx/all', seenAtMs: 5, doneWhenSent: false, sid: undefined });
    expect(tasks.get('one')?.sid).toBe('a');
    const sensor = sensorOf('a');
    settle(all, sensor);
    tasks.remove('all');
    tasks.remove('unknown');
    expect([all.gone, all.nextClaims.size, tasks.size]).toEqual([true, 0, 1]);
    expect(matched('b')).toEqual([]);
  });

  it.each([1, 50])('forget the next claims of sensors that are no longer held (%i of them)', (count) => {
    const tasks = new OrgTasks();
    const task = tasks.add(record('a', null), 0);
    const [kept, ...gone] = Array.from({ length: count + 1 }, (_, i) => sensorOf(`s${i}`));
    for (const sensor of [kept!, ...gone.slice(0, 9)]) settle(task, sensor);
    tasks.forget(new Set(gone));
    expect([...task.nextClaims.keys()]).toEqual([kept]);
  });

  it('do not change when they are added again', () => {
    const tasks = new OrgTasks();
    const first = tasks.add(record('a', null, 'reboot now'), 5);
    expect(tasks.add(record('a', "sid == 'x'"), 6)).toBe(first);
    expect(first.doneWhenSent).toBe(true);
  });
});
