/**
 * Holds what Redis has of a task, or a sensor, against what the log says, and names each difference by its key. What is only
 * under way is none: a claim whose TASK_SENT is not written yet. Pure.
 */
import type { SensorState } from '../model/records.ts';
import { fromState } from '../model/sensor.ts';
import type { Pair, TaskRecord } from '../model/task.ts';
import type { LoggedPair, LoggedTask } from './replay.ts';

export type Difference = { key: string; redis: string; log: string };

/** At the very end of a record's time Redis and we may see it go in either order. Milliseconds. */
const EDGE_MS = 5_000;

/** `pending` and `ended`: whether the indexes of Redis have the task. `logged` undefined: the log does not know it. */
export type LiveTask = {
  record: TaskRecord | null;
  pairs: ReadonlyMap<string, Pair>;
  pending: boolean;
  ended: boolean;
};

export function compareTask(
  oid: string,
  taskId: string,
  live: LiveTask,
  logged: LoggedTask | undefined,
  nowMs: number,
): Difference[] {
  const key = `{${oid}}:p:${taskId}`;
  if (logged?.state && Math.abs(logged.goneAtMs - nowMs) < EDGE_MS) return [];
  const wanted = logged?.state && logged.goneAtMs > nowMs ? logged : null;
  const { record } = live;
  if (!wanted) {
    if (record)
      return [{ key, redis: `task ${record.state}`, log: logged?.state ? 'over and forgotten' : 'no such task' }];
    return live.pending ? [{ key: `{${oid}}:ix`, redis: `lists ${taskId}`, log: 'no such task' }] : [];
  }
  if (!record) return [{ key, redis: 'absent', log: `task ${wanted.state}` }];
  const fields: [string, unknown, unknown][] = [
    ['state', record.state, wanted.state],
    ['expires_at', record.expiresAtMs, wanted.expiresAtMs],
    ['ended_at', record.endedAtMs, wanted.endedAtMs],
    ['offset', record.offset, wanted.offset],
    ['content', record.contentHash, wanted.contentHash],
  ];
  return [
    ...fields.flatMap(([name, redis, log]) =>
      redis === log ? [] : [{ key, redis: `${name} ${redis}`, log: `${name} ${log}` }],
    ),
    ...index(oid, taskId, 'ix', live.pending, wanted.state === 'pending'),
    ...index(oid, taskId, 'ie', live.ended, wanted.state !== 'pending'),
    ...pairs(key, live.pairs, wanted.pairs),
  ];
}

const index = (oid: string, taskId: string, name: string, is: boolean, should: boolean): Difference[] =>
  is === should
    ? []
    : [
        {
          key: `{${oid}}:${name}`,
          redis: is ? `lists ${taskId}` : `lacks ${taskId}`,
          log: should ? 'it belongs there' : 'it does not',
        },
      ];

function pairs(key: string, live: ReadonlyMap<string, Pair>, logged: ReadonlyMap<string, LoggedPair>): Difference[] {
  const differences: Difference[] = [];
  for (const sid of new Set([...live.keys(), ...logged.keys()])) {
    const [is, should] = [live.get(sid), logged.get(sid)];
    if (samePair(is, should)) continue;
    differences.push({ key: `${key} ${sid}`, redis: textOfPair(is), log: textOfPair(should) });
  }
  return differences;
}

const textOfPair = (pair: { state: string; attempt: number } | undefined): string =>
  pair ? `${pair.state}, attempt ${pair.attempt}` : 'absent';

function samePair(live: Pair | undefined, logged: LoggedPair | undefined): boolean {
  if (!live) return !logged;
  // A claim that is not confirmed: its attempt may stand on the log already, or not yet.
  if (live.state === 'sent' && live.reason !== '-')
    return !logged || (logged.state === 'sent' && logged.attempt <= live.attempt);
  if (!logged || live.state !== logged.state) return false;
  // Attempts that were claimed, and not sent, before a pair was withdrawn stand in Redis alone.
  if (live.state === 'removed') return true;
  return live.attempt === logged.attempt && (live.state !== 'failed' || live.reason === logged.code);
}

/** What of a sensor's facts has to agree: everything but when it was seen, and tags that have run out. */
export function essenceOf(state: SensorState, nowMs: number): string {
  const { facts, platformTags, removedTags, shouldIsolate } = fromState(state);
  const tags = [...platformTags].filter(([, untilMs]) => untilMs === null || untilMs > nowMs);
  return JSON.stringify([
    facts,
    tags.toSorted(([a], [b]) => (a < b ? -1 : 1)),
    [...removedTags].toSorted(),
    shouldIsolate,
  ]);
}

/** `live`, `logged`: what essenceOf says; undefined: there is none. */
export function compareSensor(
  oid: string,
  partition: number,
  sid: string,
  live: string | undefined,
  logged: string | undefined,
): Difference[] {
  if (live === logged) return [];
  const key = `{${oid}}:f:${partition} ${sid}`;
  if (live === undefined) return [{ key, redis: 'absent', log: 'facts on sensor-state' }];
  if (logged === undefined) return [{ key, redis: 'facts', log: 'nothing on sensor-state' }];
  return [{ key, redis: live, log: logged }];
}
