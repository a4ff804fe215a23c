/**
 * A task as the system keeps it, and what its states are. A task is pending until its expiry or its removal; both ends stay
 * readable for the retention. A pair is one (task, sensor); `queued` and `expired` are not stored, they follow from the task.
 */
import { hashOf, isName } from './ids.ts';
import type { SensorEvent, TaskCommand } from './records.ts';

export type TaskState = 'pending' | 'expired' | 'removed';

/** Stored pairs: sent (attempt n), done, failed (with the sensor's error code), removed (withdrawn for this sensor). */
export type DeliveryState = 'sent' | 'done' | 'failed' | 'removed';

export type Delivery = {
  state: DeliveryState;
  attempt: number;
  /** Unix ms of the last change, by the clock of Redis. */
  atMs: number;
  /** failed: the error code; removed: why; sent: the batch that claimed it. */
  reason: string;
};

/** What the record of a task holds, pending or ended. Times are Unix ms. */
export type TaskRecord = {
  taskId: string;
  state: TaskState;
  expiresAtMs: number;
  endedAtMs: number | null;
  contentHash: string;
  /** Offset of the command that made it, in the task's partition of `task-commands`. */
  offset: number;
  command: TaskCommand;
};

export const expiryOf = (command: Pick<TaskCommand, 'issued_at' | 'ttl'>): number =>
  command.issued_at + command.ttl * 1000;

/** Two commands with one id are the same task if these agree; who issued them and when does not count. */
export const contentHashOf = (command: TaskCommand): string =>
  hashOf(
    command.task ?? '',
    canonicalSelector(command.selector),
    command.context ?? '',
    command.ttl,
    command.options ?? '',
  );

/** null, "" and `*` are one selector. */
export const canonicalSelector = (selector: string | null): string => {
  const trimmed = (selector ?? '').trim();
  return trimmed === '' ? '*' : trimmed === '*' ? '*' : (selector as string);
};

/** What a dispatch carries so that its receipt can be told: context, `/`, task id; just the id without a context. */
export function investigationIdOf(command: Pick<TaskCommand, 'context' | 'task_id' | 'options'>): string {
  if (isDirect(command)) return command.context ?? '';
  return command.context ? `${command.context}/${command.task_id}` : command.task_id;
}

/** The task id that an investigation id names: what follows the last slash. */
export const taskIdOfInvestigation = (investigationId: string): string =>
  investigationId.slice(investigationId.lastIndexOf('/') + 1);

/** The task that a sensor's event names: by `task_id`, else by the investigation id, the record's or routing's; null: none. */
export function taskNamedBy(event: SensorEvent, routing: Readonly<Record<string, unknown>>): string | null {
  const investigation = event.investigation_id ?? routing.investigation_id;
  const taskId = event.task_id ?? (typeof investigation === 'string' ? taskIdOfInvestigation(investigation) : '');
  return isName(taskId) ? taskId : null;
}

const DELIVERY = new Set(['DELIVERED', 'CLOUD_NOTIFICATION']);

/** The sensor has got the dispatch, and says no more than that. */
export const isDeliveryNotice = ({ event_type }: Pick<SensorEvent, 'event_type'>): boolean => DELIVERY.has(event_type);

/** "Task now": sent at once or never, not listed, done when sent. */
export function isDirect(command: Pick<TaskCommand, 'options'>): boolean {
  if (command.options === null) return false;
  try {
    return (JSON.parse(command.options) as { direct?: unknown } | null)?.direct === true;
  } catch {
    return false;
  }
}

/** Commands that take the sensor down before it can answer: they are done when sent. */
const NO_ANSWER = new Set(['restart', 'upgrade_core', 'reboot', 'shutdown', 'uninstall']);

export const isDoneWhenSent = (command: Pick<TaskCommand, 'task' | 'options'>): boolean =>
  NO_ANSWER.has((command.task ?? '').trim().split(/\s/, 1)[0] ?? '') || isDirect(command);

/** What a claim names its connection by. Claims of what is done when sent are marked: their TASK_DONE may be on the log before
 *  Redis is told, so that no other verdict, and no other attempt, may follow. */
export const claimHash = (connectionHash: string, doneWhenSent: boolean): string =>
  doneWhenSent ? `!${connectionHash}` : connectionHash;

/** Wait after attempt n before the next one, while the sensor stays online: doubling from the first to the longest. */
export const backoffMs = (attempt: number, firstMs: number, maxMs: number): number =>
  Math.min(firstMs * 2 ** Math.min(attempt - 1, 30), maxMs);
