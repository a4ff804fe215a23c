/**
 * Ids that are derived and not drawn: the same thing gets the same id in every process and after every replay, so that
 * repeats can be told. Also what a well-formed id looks like.
 */
import { hash } from 'node:crypto';
import { v5 as uuidV5 } from 'uuid';
import type { TaskEventType } from './records.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const NAME = /^[A-Za-z0-9._:-]{1,128}$/;

/** The namespace of every UUIDv5 made here. */
const NAMESPACE = '6f0c1f5e-7a55-4c39-9d1c-3f6b8a2e9d41';

export const isUuid = (text: string): boolean => UUID.test(text);

/** True for what may stand as sid or task_id: 1 to 128 characters of `A-Z a-z 0-9 . _ : -`. */
export const isName = (text: string): boolean => NAME.test(text);

/** Short hash for ids that only have to be equal when their parts are. 128 bits, hex. The parts can't run into each other. */
export function hashOf(...parts: (string | number)[]): string {
  return hash('sha256', JSON.stringify(parts), 'hex').slice(0, 32);
}

/** The same task, sensor and attempt always give the same dispatch id. */
export const dispatchId = (oid: string, taskId: string, sid: string, attempt: number): string =>
  hashOf('dispatch', oid, taskId, sid, attempt);

/** A pair is settled once, whichever attempt is taken for the one that did it: a Redis that was lost can know fewer of them. */
const ONCE_A_DELIVERY: ReadonlySet<TaskEventType> = new Set(['TASK_DONE', 'TASK_FAILURE']);

/** Repeats of one event carry one id; readers count the first. */
export const eventId = (
  type: TaskEventType,
  oid: string,
  taskId: string,
  sid: string | null,
  attempt: number | null,
): string => hashOf(type, oid, taskId, sid ?? '', ONCE_A_DELIVERY.has(type) ? -1 : (attempt ?? -1));

/** A retry with the same idempotency key names the same task. */
export const taskIdForKey = (oid: string, idempotencyKey: string): string =>
  uuidV5(`${oid}\n${idempotencyKey}`, NAMESPACE);
