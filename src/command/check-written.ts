/**
 * Checks the records that the system writes itself and reads again to know what was sent and which sensors exist. Any producer with
 * access can write to these topics too, so they are checked before they reach Redis, where a sid or task id becomes a field or a key and
 * a time an expiry. Pure and total like check.ts.
 */
import { isName } from '../model/ids.ts';
import type { SensorState, TaskEvent } from '../model/records.ts';
import { checkSid, checkTaskId, NAME_RULE, type Refusal, refuse } from './check.ts';

/** More than the longest TTL (TTL_MAX_SECONDS): a time further ahead of the append is invalid. */
const AHEAD_MAX_MS = 11 * 365 * 86_400_000;
/** More than any delivery has attempts. */
const ATTEMPT_MAX = 1_000_000_000;

/** Checks a record of `task-events`; null: it is valid. */
export function checkTaskEvent(key: string | null, event: TaskEvent, appendedAtMs: number): Refusal | null {
  const { sid, attempt } = event;
  const refusal = checkTaskId(key, event.task_id);
  if (refusal !== null) return refusal;
  if (sid !== null && !isName(sid)) return refuse('sid_invalid', `sid must be ${NAME_RULE}`);
  if (attempt !== null && (attempt < 0 || attempt > ATTEMPT_MAX))
    return refuse('record_invalid', `attempt must be a number from 0 to ${ATTEMPT_MAX}.`);
  const isTime = (ms: number): boolean => Number.isSafeInteger(ms) && ms >= 0 && ms <= appendedAtMs + AHEAD_MAX_MS;
  // TASK_DELIVERED has the time of the sensor, which may be wrong; nothing depends on it.
  if (event.type !== 'TASK_DELIVERED' && !isTime(event.occurred_at))
    return refuse('record_invalid', 'occurred_at must be a Unix timestamp in milliseconds.');
  const { expires_at: expiresAt } = detailOf(event);
  if (typeof expiresAt === 'number' && !isTime(expiresAt))
    return refuse('record_invalid', 'expires_at in detail must be a Unix timestamp in milliseconds.');
  return null;
}

/** Checks a record of `sensor-state`; null: it is valid. */
export function checkSensorState(key: string | null, { oid, sid }: SensorState): Refusal | null {
  const prefix = `${oid}/`;
  return checkSid(key?.startsWith(prefix) ? key.slice(prefix.length) : null, sid);
}

/** The object in `detail`; an empty one if there is none. */
export function detailOf({ detail }: TaskEvent): Record<string, unknown> {
  try {
    return (JSON.parse(detail ?? '{}') as Record<string, unknown> | null) ?? {};
  } catch {
    return {};
  }
}
