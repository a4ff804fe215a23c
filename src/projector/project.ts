/**
 * What commands mean: a record becomes a step to apply or a refusal, and an answer of the projection becomes an event or a
 * refusal. A replay uses the same functions; it does not write effects again. Pure.
 */
import { type CommandRules, checkCommand } from '../command/check.ts';
import { type Judge, recordKeyOf, verdictOf } from '../consumer.ts';
import { eventId } from '../model/ids.ts';
import type { TaskCommand, TaskEvent } from '../model/records.ts';
import { canonicalSelector, contentHashOf, expiryOf, isDoneWhenSent } from '../model/task.ts';
import type { DeadLetter, InRecord } from '../ports.ts';
import type { ApplyCommand, ApplyOutcome } from './projection.ts';

export type Step = { record: InRecord; command: TaskCommand };

/** `replayed(record)`: the record was judged before. Then the verdict is known, and today's rules do not change it. */
export const judgeCommand =
  (rules: CommandRules, replayed: (record: InRecord) => { refused: boolean } | null): Judge<TaskCommand, Step> =>
  (record, command) => {
    const before = replayed(record);
    if (before?.refused) return null;
    const refusal = before ? null : checkCommand(recordKeyOf(record), command, record.timestampMs, rules);
    return verdictOf(refusal, { record, command });
  };

/** UNTASK for the sensors that match now. The projector resolves it, and withdraws delivery by delivery. */
export const isNarrow = ({ command }: Step): boolean =>
  command.action === 'UNTASK' && canonicalSelector(command.untask_selector) !== '*';

export function toApply({ record, command }: Step, encode: (command: TaskCommand) => Buffer): ApplyCommand {
  if (command.action === 'UNTASK')
    return { op: 'untask', offset: record.offset, taskId: command.task_id, appendedAtMs: record.timestampMs };
  return {
    op: 'task',
    offset: record.offset,
    taskId: command.task_id,
    appendedAtMs: record.timestampMs,
    expiresAtMs: expiryOf(command),
    contentHash: contentHashOf(command),
    doneWhenSent: isDoneWhenSent(command),
    bytes: encode(command),
  };
}

/** What follows from an outcome: an event, a dead letter, or nothing. `expiresAtMs`: of the task, if it is known. */
export function followUp(
  { record, command }: Step,
  outcome: ApplyOutcome,
  expiresAtMs?: number | null,
): { event?: TaskEvent; deadLetter?: DeadLetter } {
  switch (outcome) {
    case 'added':
      return { event: addEvent(command) };
    case 'removed':
      return { event: removedEvent(command, record.timestampMs, null, expiresAtMs) };
    case 'conflict':
      return {
        deadLetter: {
          record,
          code: 'task_id_conflict',
          message: `Task ${command.task_id} exists with other content, or was removed: use another task_id.`,
        },
      };
    default:
      return {};
  }
}

function addEvent(command: TaskCommand): TaskEvent {
  return {
    type: 'ADD_TASK',
    event_id: eventId('ADD_TASK', command.oid, command.task_id, null, null),
    oid: command.oid,
    task_id: command.task_id,
    sid: null,
    attempt: null,
    occurred_at: command.issued_at,
    detail: JSON.stringify({
      task: command.task,
      selector: canonicalSelector(command.selector),
      context: command.context,
      ttl: command.ttl,
      issued_by: command.issued_by,
      expires_at: expiryOf(command),
    }),
  };
}

/** `sid` null: the whole task. `expiresAtMs`: if it is known. */
export function removedEvent(
  command: Pick<TaskCommand, 'oid' | 'task_id'>,
  atMs: number,
  sid: string | null,
  expiresAtMs?: number | null,
): TaskEvent {
  return {
    type: 'TASK_REMOVED',
    event_id: eventId('TASK_REMOVED', command.oid, command.task_id, sid, null),
    oid: command.oid,
    task_id: command.task_id,
    sid,
    attempt: null,
    occurred_at: atMs,
    detail: expiresAtMs == null ? null : JSON.stringify({ expires_at: expiresAtMs }),
  };
}

export function expiredEvent(oid: string, taskId: string, expiresAtMs: number): TaskEvent {
  return {
    type: 'TASK_EXPIRED',
    event_id: eventId('TASK_EXPIRED', oid, taskId, null, null),
    oid,
    task_id: taskId,
    sid: null,
    attempt: null,
    occurred_at: expiresAtMs,
    detail: JSON.stringify({ expires_at: expiresAtMs }),
  };
}
