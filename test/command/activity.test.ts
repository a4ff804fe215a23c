import { describe, expect, test } from 'vitest';
import { ActivitySchema, activitiesOf } from '../../src/command/activity.ts';
import type { TaskEvent } from '../../src/model/records.ts';
import { conform } from '../api/support/conforms.ts';

const EVENT: TaskEvent = {
  type: 'TASK_SENT',
  event_id: 'id-1',
  oid: 'o',
  task_id: 't',
  sid: 's',
  attempt: 2,
  occurred_at: 1_700_000_000_000,
  detail: null,
};
const shown = (fields: Partial<TaskEvent>, detail: object | null = null) =>
  activitiesOf({ ...EVENT, ...fields, detail: detail === null ? null : JSON.stringify(detail) }).map(
    ({ name, activity }) => {
      conform(name, ActivitySchema, JSON.parse(JSON.stringify(activity)));
      return [name, activity.event];
    },
  );

describe('task events as users know them', () => {
  test('an added task shows what was asked for', () => {
    const detail = { task: 'x', selector: 'sid == "s-1"', context: null, ttl: 5, issued_by: 'k', expires_at: 9 };
    expect(shown({ type: 'ADD_TASK', sid: null, attempt: null }, detail)).toEqual([
      ['add_task', { ...detail, task_id: 't', sid: 's-1' }],
    ]);
    const [[, event] = []] = shown({ type: 'ADD_TASK', sid: null }, { ...detail, selector: 'plat == linux' });
    expect(event).not.toHaveProperty('sid');
  });

  test('sent is a try, and a delivery too for sensors that never confirm one', () => {
    const detail = { confirms: false, investigation_id: 'c/t', expires_at: 1 };
    const fields = { task_id: 't', sid: 's', attempt: 2, investigation_id: 'c/t' };
    expect(shown({}, detail)).toEqual([
      ['try_task', fields],
      ['task_sent', fields],
    ]);
    expect(shown({}, { ...detail, confirms: true })).toEqual([['try_task', fields]]);
    expect(shown({}, null)).toEqual([['try_task', { task_id: 't', sid: 's', attempt: 2 }]]);
    const ids = activitiesOf({ ...EVENT, detail: JSON.stringify(detail) }).map((a) => a.activity.routing.event_id);
    expect(new Set(ids).size).toBe(2);
  });

  test.each<[Partial<TaskEvent>, object | null, string, object]>([
    [{ type: 'TASK_DELIVERED', attempt: null }, null, 'task_sent', { task_id: 't', sid: 's' }],
    [{ type: 'TASK_DONE' }, { expires_at: 1 }, 'task_done', { task_id: 't', sid: 's', attempt: 2 }],
    [
      { type: 'TASK_FAILURE' },
      { error: 'no access', error_code: 5 },
      'task_failure',
      { task_id: 't', sid: 's', attempt: 2, error: 'no access', error_code: 5 },
    ],
    [
      { type: 'TASK_FAILURE', attempt: null },
      { error_code: '5' },
      'task_failure',
      { task_id: 't', sid: 's', error: 'The sensor answered with error 5.', error_code: '5' },
    ],
    [{ type: 'TASK_EXPIRED', sid: null }, null, 'task_expired', { task_id: 't' }],
    [{ type: 'TASK_REMOVED', sid: null }, null, 'task_removed', { task_id: 't' }],
    [{ type: 'TASK_REMOVED' }, null, 'task_removed', { task_id: 't', sid: 's' }],
  ])('%o', (fields, detail, name, event) => {
    expect(shown(fields, detail)).toEqual([[name, event]]);
  });

  test('the routing is that of the extension', () => {
    const [first] = activitiesOf({ ...EVENT, type: 'TASK_DONE' });
    expect(first?.activity.routing).toMatchObject({
      oid: 'o',
      event_type: 'task_done',
      event_time: 1_700_000_000_000,
      event_id: 'id-1',
      hostname: 'ext-reliable-tasking',
    });
  });

  test('a detail that is no JSON does no harm', () => {
    expect(activitiesOf({ ...EVENT, detail: '{' })).toHaveLength(1);
    expect(activitiesOf({ ...EVENT, detail: 'null' })).toHaveLength(1);
  });
});
