/**
 * What records must fulfil that the system writes itself, and reads again to know what was sent and which sensors there are.
 * Whoever may produce can write to these topics too, so they are judged like any other record before they reach Redis: a
 * sid or task id becomes a field or a key there, a time an expiry. As pure and total as check.ts.
 */
import { isName } from '../model/ids.ts';
import type { SensorState, TaskEvent } from '../model/records.ts';
import { checkSid, checkTaskId, NAME_RULE, type Refusal, refuse } from './check.ts';

/** Longer than any task lives (TTL_MAX_SECONDS): a time so far ahead of the append is none. */
const AHEAD_MAX_MS = 11 * 365 * 86_400_000;
/** More than any pair is ever sent. */
const ATTEMPT_MAX = 1_000_000_000;

/** Judges a record of `task-events`; null: it is valid. */
export function checkTaskEvent(key: string | null, event: TaskEvent, appendedAtMs: number): Refusal | null {
  const { sid, attempt } = event;
  const refusal = checkTaskId(key, event.task_id);
  if (refusal !== null) return refusal;
  if (sid !== null && !isName(sid)) return refuse('sid_invalid', `sid must be ${NAME_RULE}`);
  if (attempt !== null && (attempt < 0 || attempt > ATTEMPT_MAX))
    return refuse('record_invalid', `attempt must be a number from 0 to ${ATTEMPT_MAX}.`);
  const isTime = (ms: number): boolean => Number.isSafeInteger(ms) && ms >= 0 && ms <= appendedAtMs + AHEAD_MAX_MS;
  // A delivery carries the clock of the sensor, which may say anything; nothing rests on it.
  if (event.type !== 'TASK_DELIVERED' && !isTime(event.occurred_at))
    return refuse('record_invalid', 'occurred_at is no time that a task can have.');
  const { expires_at: expiresAt } = detailOf(event);
  if (typeof expiresAt === 'number' && !isTime(expiresAt))
    return refuse('record_invalid', 'expires_at in detail is no time that a task can have.');
  return null;
}

/** Judges a record of `sensor-state`; null: it is valid. */
export function checkSensorState(key: string | null, { oid, sid }: SensorState): Refusal | null {
  const prefix = `${oid}/`;
  return checkSid(key?.startsWith(prefix) ? key.slice(prefix.length) : null, sid);
}

/** The object in `detail`; an empty one where there is none. */
export function detailOf({ detail }: TaskEvent): Record<string, unknown> {
  try {
    return (JSON.parse(detail ?? '{}') as Record<string, unknown> | null) ?? {};
  } catch {
    return {};
  }
}
