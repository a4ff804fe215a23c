/**
 * How a task and its pairs are shown. Pure. A pair's state is what Redis holds of it or, where that says nothing, what
 * follows from the task: queued while the task is pending, expired or removed after it.
 */
import type { Pair, TaskRecord, TaskState } from '../model/task.ts';
import { canonicalSelector, isDoneWhenSent } from '../model/task.ts';

export type TaskEntry = {
  task_id: string;
  task: string;
  sensor_selector: string;
  context: string | null;
  /** Seconds. */
  ttl: number;
  /** Unix ms, both. */
  created_at: number;
  expires_at: number;
  issued_by: string;
  acknowledged: string[];
  acknowledged_count: number;
};

export type ShownState = 'queued' | 'sent' | 'done' | 'failed' | 'expired' | 'removed';
export type ShownPair = { state: ShownState; attempt: number; at: number; reason: string };

const ACKNOWLEDGED_MAX = 1_000;

/** Neither done, failed nor removed: the sensor still has to run it. */
export const isDue = (pair: Pair | undefined): boolean => pair === undefined || pair.state === 'sent';

const isAcknowledged = (pair: Pair): boolean => pair.state === 'done' || pair.state === 'failed';

/** A task whose time is over is expired, though the sweep may come a moment later. */
export const stateAt = (task: TaskRecord, nowMs: number): TaskState =>
  task.state === 'pending' && task.expiresAtMs <= nowMs ? 'expired' : task.state;

export function taskEntry({ taskId, command, expiresAtMs }: TaskRecord, pairs: ReadonlyMap<string, Pair>): TaskEntry {
  const acknowledged: string[] = [];
  let count = 0;
  for (const [sid, pair] of pairs) {
    if (!isAcknowledged(pair)) continue;
    count += 1;
    if (acknowledged.length < ACKNOWLEDGED_MAX) acknowledged.push(sid);
  }
  return {
    task_id: taskId,
    task: command.task ?? '',
    sensor_selector: canonicalSelector(command.selector),
    context: command.context,
    ttl: command.ttl,
    created_at: command.issued_at,
    expires_at: expiresAtMs,
    issued_by: command.issued_by,
    acknowledged,
    acknowledged_count: count,
  };
}

/** The state of one sensor in a task: `state` is the task's, `pair` what is stored, `online` the sensor's presence. */
export function shownPair(task: TaskRecord, state: TaskState, pair: Pair | undefined, online: boolean): ShownPair {
  const attempt = pair?.attempt ?? 0;
  const at = pair?.atMs ?? task.command.issued_at;
  if (pair !== undefined && pair.state !== 'sent')
    return { state: pair.state, attempt, at, reason: settledReason(task, pair) };
  if (state === 'removed')
    return { state, attempt, at: task.endedAtMs ?? at, reason: 'The task was removed before this sensor answered.' };
  if (state === 'expired') return { state, attempt, at: task.expiresAtMs, reason: expiredReason(attempt) };
  if (attempt === 0) return { state: 'queued', attempt, at, reason: queuedReason(online) };
  return { state: 'sent', attempt, at, reason: sentReason(attempt, online) };
}

function settledReason(task: TaskRecord, pair: Pair): string {
  if (pair.state === 'failed') return `The sensor answered with error ${pair.reason}.`;
  if (pair.state === 'removed') return 'The task was withdrawn for this sensor.';
  return isDoneWhenSent(task.command) ? 'It was sent; this command gives no answer.' : 'The sensor has answered.';
}

const queuedReason = (online: boolean): string =>
  online ? 'The sensor is online: it is sent at once.' : 'It waits for the sensor to connect.';

function sentReason(attempt: number, online: boolean): string {
  const sent = attempt === 1 ? 'It was sent' : `It was sent ${attempt} times`;
  return online
    ? `${sent}; the answer of the sensor is awaited.`
    : `${sent}; it is sent again when the sensor connects.`;
}

const expiredReason = (attempt: number): string =>
  attempt === 0
    ? 'The task expired before it could be sent to this sensor.'
    : 'It was sent, and expired before the sensor answered.';
