import { describe, expect, test } from 'vitest';
import { checkSensorState, checkTaskEvent } from '../../src/command/check-written.ts';
import type { TaskEvent } from '../../src/model/records.ts';
import { samples } from '../edges/avro/samples.ts';

const AT = 1_700_000_000_000;
const YEAR_MS = 365 * 86_400_000;

const EVENT: TaskEvent = {
  type: 'TASK_DONE',
  event_id: 'e',
  oid: 'o',
  task_id: 't-1',
  sid: 's-1',
  attempt: 1,
  occurred_at: AT,
  detail: '{"expires_at":1700000060000}',
};
const judged = (change: Partial<TaskEvent>) => checkTaskEvent('t-1', { ...EVENT, ...change }, AT)?.code ?? null;
const expiring = (expiresAt: string): Partial<TaskEvent> => ({ detail: `{"expires_at":${expiresAt}}` });

describe('a task event', () => {
  test.each<[string, Partial<TaskEvent>, string]>([
    ['a sid that is a field of the task', { sid: '=s' }, 'sid_invalid'],
    ['a sid with a NUL', { sid: 's\u0000' }, 'sid_invalid'],
    ['an empty sid', { sid: '' }, 'sid_invalid'],
    ['a sid of 129 characters', { sid: 's'.repeat(129) }, 'sid_invalid'],
    ['an attempt below 0', { attempt: -1 }, 'record_invalid'],
    ['an attempt with none behind it', { attempt: 2 ** 31 - 1 }, 'record_invalid'],
    ['a time below 0', { occurred_at: -1 }, 'record_invalid'],
    ['a time that does not come', { occurred_at: AT + 20 * YEAR_MS }, 'record_invalid'],
    ['an expiry beyond all numbers', expiring('1e999'), 'record_invalid'],
    ['an expiry beyond all times', expiring('1e300'), 'record_invalid'],
    ['an expiry below 0', expiring('-1'), 'record_invalid'],
    ['an expiry between two milliseconds', expiring('1700000060000.5'), 'record_invalid'],
    ['an expiry that does not come', expiring(String(AT + 20 * YEAR_MS)), 'record_invalid'],
  ])('is refused with %s', (_name, change, code) => expect(judged(change)).toBe(code));

  test('is refused under the key of another task, or with a task id that is none', () => {
    expect(checkTaskEvent('t-2', EVENT, AT)?.code).toBe('key_mismatch');
    expect(checkTaskEvent(null, EVENT, AT)?.code).toBe('key_mismatch');
    expect(checkTaskEvent('{t}', { ...EVENT, task_id: '{t}' }, AT)?.code).toBe('task_id_invalid');
  });

  test.each<[string, Partial<TaskEvent>]>([
    ['as it should be', {}],
    ['of the task as a whole', { sid: null, attempt: null }],
    ['without a detail', { detail: null }],
    ['with a detail that is no object', { detail: '[' }],
    ['of a task that lives for ten years', expiring(String(AT + 10 * YEAR_MS))],
    ['of a delivery, by a sensor without a clock', { type: 'TASK_DELIVERED', occurred_at: -1, attempt: null }],
  ])('is taken %s', (_name, change) => expect(judged(change)).toBeNull());
});

test('a state of a sensor is taken under the key of its org and sensor alone', () => {
  const state = samples.SensorState;
  const judge = (key: string | null, sid = state.sid) => checkSensorState(key, { ...state, sid })?.code ?? null;
  expect(judge(`${state.oid}/${state.sid}`)).toBeNull();
  expect(judge(null)).toBe('key_mismatch');
  expect(judge(`other/${state.sid}`)).toBe('key_mismatch');
  expect(judge(`${state.oid}/other`)).toBe('key_mismatch');
  expect(judge(`${state.oid}/a b`, 'a b')).toBe('sid_invalid');
});
