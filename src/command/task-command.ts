/**
 * Makes the record for `task-commands` from the data of a request. Pure: the time and, without an idempotency key, the id are given. The
 * record is valid by the rules of check.ts, or an ApiError says which field is wrong, so that no accepted command becomes a dead
 * letter.
 */
import { ApiError } from '../errors.ts';
import { taskIdForKey } from '../model/ids.ts';
import type { TaskCommand } from '../model/records.ts';
import { type CommandRules, checkCommand } from './check.ts';
import { refuseLonger, refuseUnstorable } from './reader.ts';
import { readTarget, type Target, type TargetFields } from './target.ts';

export type TaskData = TargetFields & {
  task: string;
  context?: string | null;
  ttl?: number | string | null;
  idempotency_key?: string | null;
};

/** The caller, its org, and the time (Unix ms); `freshId` is the id of a task without an idempotency key. */
export type Origin = { oid: string; issuedBy: string; nowMs: number; freshId: string; keyHeader: string | undefined };

const TTL_DEFAULT_SECONDS = 604_800;
/** Longer than sending takes, and short enough that a direct task is never sent unexpectedly late. */
const DIRECT_TTL_SECONDS = 60;
const DIRECT_OPTIONS = JSON.stringify({ direct: true });
const CONTEXT_MAX_BYTES = 4_096;
const KEY_MAX_BYTES = 256;

/** The TASK for the data. Throws ApiError. */
export function taskCommandOf(data: TaskData, origin: Origin, rules: CommandRules): TaskCommand {
  const context = data.context || null;
  refuseUnstorable('task', data.task);
  if (context !== null) {
    refuseUnstorable('context', context);
    refuseLonger('context', context, CONTEXT_MAX_BYTES);
  }
  const command: TaskCommand = {
    ...blank(origin),
    action: 'TASK',
    task_id: taskIdOf(data, origin),
    task: data.task,
    selector: readTarget(data).selector,
    context,
    ttl: ttlOf(data.ttl, rules.ttlMaxSeconds),
  };
  return passed(command, origin, rules);
}

/** A command for one sensor that is sent at once or never; `context` is its investigation id, unchanged. Throws ApiError. */
export function directCommandOf(data: TaskData, origin: Origin, rules: CommandRules): TaskCommand {
  const command = taskCommandOf(data, origin, rules);
  return passed({ ...command, ttl: DIRECT_TTL_SECONDS, options: DIRECT_OPTIONS }, origin, rules);
}

/** The UNTASK of one task; a narrower target withdraws the deliveries of the sensors that match when it is applied. */
export function untaskCommandOf(taskId: string, target: Target, origin: Origin, rules: CommandRules): TaskCommand {
  const narrow = target.selector === '*' ? null : target.selector;
  return passed({ ...blank(origin), action: 'UNTASK', task_id: taskId, untask_selector: narrow }, origin, rules);
}

const blank = ({ oid, issuedBy, nowMs }: Origin): TaskCommand => ({
  action: 'TASK',
  oid,
  task_id: '',
  task: null,
  selector: null,
  context: null,
  ttl: TTL_DEFAULT_SECONDS,
  issued_at: nowMs,
  issued_by: issuedBy,
  untask_selector: null,
  options: null,
});

function passed(command: TaskCommand, origin: Origin, rules: CommandRules): TaskCommand {
  const refusal = checkCommand(command.task_id, command, origin.nowMs, rules);
  if (refusal === null) return command;
  throw new ApiError(refusal.code, refusal.message);
}

function taskIdOf(data: TaskData, origin: Origin): string {
  const field = data.idempotency_key ?? undefined;
  const key = field ?? origin.keyHeader;
  if (key === undefined) return origin.freshId;
  // A script whose variable is not set would queue another task at each retry.
  if (key === '') throw new ApiError('data_invalid', 'The idempotency key is empty: leave it out, or give one.');
  if (origin.keyHeader !== undefined && key !== origin.keyHeader)
    throw new ApiError(
      'data_invalid',
      'idempotency_key and the header Idempotency-Key differ: give one of them, or the same key in both.',
    );
  refuseUnstorable('idempotency_key', key);
  refuseLonger('idempotency_key', key, KEY_MAX_BYTES);
  return taskIdForKey(origin.oid, key);
}

function ttlOf(ttl: TaskData['ttl'], maxSeconds: number): number {
  if (ttl === undefined || ttl === null) return TTL_DEFAULT_SECONDS;
  const seconds = typeof ttl === 'number' ? ttl : /^\d{1,15}$/.test(ttl) ? Number(ttl) : Number.NaN;
  if (Number.isSafeInteger(seconds) && seconds >= 0 && seconds <= maxSeconds) return seconds;
  throw new ApiError('ttl_invalid', `ttl must be a whole number of seconds from 0 to ${maxSeconds}, or its text.`);
}
