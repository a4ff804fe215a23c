/**
 * Ids that are derived, not random: the same thing gets the same id in every process and after every replay, so readers can
 * recognize repeats. Also the syntax of ids. Pure.
 */
import { hash } from 'node:crypto';
import { v5 as uuidV5 } from 'uuid';
import type { TaskEventType } from './records.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const NAME = /^[A-Za-z0-9._:-]{1,128}$/;

/** The namespace of all UUIDv5 of this module. */
const NAMESPACE = '6f0c1f5e-7a55-4c39-9d1c-3f6b8a2e9d41';

export const isUuid = (text: string): boolean => UUID.test(text);

/** Whether the text can be a sid or task_id: 1 to 128 characters of `A-Z a-z 0-9 . _ : -`. */
export const isName = (text: string): boolean => NAME.test(text);

/** A short hash of the parts: 128 bits, hex. `('a', 'b')` and `('ab', '')` have different hashes. */
export function hashOf(...parts: (string | number)[]): string {
  return hash('sha256', JSON.stringify(parts), 'hex').slice(0, 32);
}

/** The same task, sensor and attempt always have the same dispatch id. */
export const dispatchId = (oid: string, taskId: string, sid: string, attempt: number): string =>
  hashOf('dispatch', oid, taskId, sid, attempt);

/** A delivery is settled once, so the id does not depend on the attempt: a rebuilt Redis can know fewer attempts. */
const ONCE_A_DELIVERY: ReadonlySet<TaskEventType> = new Set(['TASK_DONE', 'TASK_FAILURE']);

/** Repeats of an event have the same id. Readers count the first. */
export const eventId = (
  type: TaskEventType,
  oid: string,
  taskId: string,
  sid: string | null,
  attempt: number | null,
): string => hashOf(type, oid, taskId, sid ?? '', ONCE_A_DELIVERY.has(type) ? -1 : (attempt ?? -1));

/** The same idempotency key always gives the same task id. */
export const taskIdForKey = (oid: string, idempotencyKey: string): string =>
  uuidV5(`${oid}\n${idempotencyKey}`, NAMESPACE);
