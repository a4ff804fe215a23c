/**
 * A task as the system stores it. A task is pending until it expires or is removed; an ended task can be read for the
 * retention. Also what a command and a sensor event say about their task. Pure.
 */
import { hashOf, isName } from './ids.ts';
import type { SensorEvent, TaskCommand } from './records.ts';
import type { StoredState, TaskState } from './states.ts';

/** What Redis stores of a delivery. */
export type Delivery = {
  state: StoredState;
  attempt: number;
  /** Unix ms of the last change, by the clock of Redis. */
  atMs: number;
  /** failed: the error code · removed: why · sent: the claim batch of the attempt. */
  reason: string;
};

/** A task, pending or ended. Times are Unix ms. */
export type TaskRecord = {
  taskId: string;
  state: TaskState;
  expiresAtMs: number;
  endedAtMs: number | null;
  contentHash: string;
  /** Offset of the command that added it, in the task's partition of `task-commands`. */
  offset: number;
  command: TaskCommand;
};

export const expiryOf = (command: Pick<TaskCommand, 'issued_at' | 'ttl'>): number =>
  command.issued_at + command.ttl * 1000;

/** Two commands with one task id are the same task if their hashes are equal. Issuer and time do not count. */
export const contentHashOf = (command: TaskCommand): string =>
  hashOf(
    command.task ?? '',
    canonicalSelector(command.selector),
    command.context ?? '',
    command.ttl,
    command.options ?? '',
  );

/** null, "" and `*` are the same selector. */
export const canonicalSelector = (selector: string | null): string => {
  const trimmed = (selector ?? '').trim();
  return trimmed === '' ? '*' : trimmed === '*' ? '*' : (selector as string);
};

/** The investigation id of a dispatch: context, `/`, task id; without a context only the task id. The sensor returns it, so that
 *  the receipt names its task. */
export function investigationIdOf(command: Pick<TaskCommand, 'context' | 'task_id' | 'options'>): string {
  if (isDirect(command)) return command.context ?? '';
  return command.context ? `${command.context}/${command.task_id}` : command.task_id;
}

/** The task id of an investigation id: the text after the last slash. */
export const taskIdOfInvestigation = (investigationId: string): string =>
  investigationId.slice(investigationId.lastIndexOf('/') + 1);

/** The task id of a sensor event: its `task_id`, else from the investigation id of the record or of `routing`. null: none. */
export function taskNamedBy(event: SensorEvent, routing: Readonly<Record<string, unknown>>): string | null {
  const investigation = event.investigation_id ?? routing.investigation_id;
  const taskId = event.task_id ?? (typeof investigation === 'string' ? taskIdOfInvestigation(investigation) : '');
  return isName(taskId) ? taskId : null;
}

const DELIVERED = new Set(['DELIVERED', 'CLOUD_NOTIFICATION']);

/** The sensor has the dispatch. This is no receipt. */
export const isDeliveryNotice = ({ event_type }: Pick<SensorEvent, 'event_type'>): boolean => DELIVERED.has(event_type);

/** A direct task: sent now or never, in no list, done when sent. */
export function isDirect(command: Pick<TaskCommand, 'options'>): boolean {
  if (command.options === null) return false;
  try {
    return (JSON.parse(command.options) as { direct?: unknown } | null)?.direct === true;
  } catch {
    return false;
  }
}

/** Commands that stop the sensor before it can answer: their deliveries are done when sent. */
const NO_ANSWER = new Set(['restart', 'upgrade_core', 'reboot', 'shutdown', 'uninstall']);

export const isDoneWhenSent = (command: Pick<TaskCommand, 'task' | 'options'>): boolean =>
  NO_ANSWER.has((command.task ?? '').trim().split(/\s/, 1)[0] ?? '') || isDirect(command);

/** Starts the connection hash of a claim that is done when sent. */
export const DONE_WHEN_SENT_MARK = '!';

/** The connection hash as a claim stores it. A claim that is done when sent is marked: its TASK_DONE can be on the log before
 *  Redis knows it, so Redis must accept no other result and no further attempt. */
export const claimHash = (connectionHash: string, doneWhenSent: boolean): string =>
  doneWhenSent ? `${DONE_WHEN_SENT_MARK}${connectionHash}` : connectionHash;

/** The delay between attempt n and the next one while the sensor stays online. It doubles from `firstMs` up to `maxMs`. */
export const backoffMs = (attempt: number, firstMs: number, maxMs: number): number =>
  Math.min(firstMs * 2 ** Math.min(attempt - 1, 30), maxMs);
