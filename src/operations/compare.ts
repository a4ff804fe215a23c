/**
 * Holds what Redis has of a task, or a sensor, against what the log says, and names each difference by its key. What is only
 * under way is none: a claim whose TASK_SENT is not written yet. Pure.
 */
import type { SensorState } from '../model/records.ts';
import { fromState } from '../model/sensor.ts';
import { contentHashOf, type Delivery, type TaskRecord } from '../model/task.ts';
import type { TaskPlaces } from './kept.ts';
import type { LoggedDelivery, LoggedTask } from './replay.ts';

export type Difference = { key: string; redis: string; log: string };

/** At the very end of a record's time Redis and we may see it go in either order. Milliseconds. */
const EDGE_MS = 5_000;

export type LiveTask = { record: TaskRecord | null; deliveries: ReadonlyMap<string, Delivery>; places: TaskPlaces };

/** The task as Redis has to have it. null: it is over and forgotten, or was never there; undefined: at the edge of its time. */
export function wantedOf(logged: LoggedTask | undefined, nowMs: number): LoggedTask | null | undefined {
  if (!logged?.state) return null;
  if (Math.abs(logged.goneAtMs - nowMs) < EDGE_MS) return undefined;
  return logged.goneAtMs > nowMs ? logged : null;
}

/** `logged` undefined: the log does not know it. */
export function compareTask(
  oid: string,
  taskId: string,
  live: LiveTask,
  logged: LoggedTask | undefined,
  nowMs: number,
): Difference[] {
  const key = `{${oid}}:p:${taskId}`;
  const wanted = wantedOf(logged, nowMs);
  if (wanted === undefined) return [];
  const { record, places } = live;
  if (!wanted) {
    const log = logged?.state ? 'over and forgotten' : 'no such task';
    return [
      ...(record ? [{ key, redis: `task ${record.state}`, log }] : []),
      ...index(oid, taskId, 'ix', places.pendingMs, null),
      ...ownKey(oid, taskId, places.content, null),
    ];
  }
  if (!record) return [{ key, redis: 'absent', log: `task ${wanted.state}` }];
  const fields: [string, unknown, unknown][] = [
    ['state', record.state, wanted.state],
    ['expires_at', record.expiresAtMs, wanted.expiresAtMs],
    ['ended_at', record.endedAtMs, wanted.endedAtMs],
    ['offset', record.offset, wanted.offset],
    ['content', record.contentHash, wanted.contentHash],
    ['command', contentHashOf(record.command), wanted.contentHash],
  ];
  const isPending = wanted.state === 'pending';
  const isAtExpiry = isPending && Math.abs(wanted.expiresAtMs - nowMs) < EDGE_MS;
  return [
    ...fields.flatMap(([name, redis, log]) =>
      redis === log ? [] : [{ key, redis: `${name} ${redis}`, log: `${name} ${log}` }],
    ),
    ...index(oid, taskId, 'ix', places.pendingMs, isPending ? wanted.expiresAtMs : null),
    ...index(oid, taskId, 'ie', places.endedMs, isPending ? null : wanted.goneAtMs),
    ...(isAtExpiry
      ? []
      : ownKey(oid, taskId, places.content, isPending && wanted.expiresAtMs > nowMs ? wanted.contentHash : null)),
    ...deliveries(key, live.deliveries, wanted.deliveries),
  ];
}

/** Compares the entry of the task in an index. */
function index(oid: string, taskId: string, name: string, is: number | null, should: number | null): Difference[] {
  if (is === should) return [];
  const text = (at: number | null) => (at === null ? `lacks ${taskId}` : `has ${taskId} at ${at}`);
  return [{ key: `{${oid}}:${name}`, redis: text(is), log: text(should) }];
}

/** Compares the key that expires with the task. */
function ownKey(oid: string, taskId: string, is: string | null, should: string | null): Difference[] {
  if (is === should) return [];
  const text = (content: string | null) => (content === null ? 'absent' : `content ${content}`);
  return [{ key: `{${oid}}:t:${taskId}`, redis: text(is), log: text(should) }];
}

function deliveries(
  key: string,
  live: ReadonlyMap<string, Delivery>,
  logged: ReadonlyMap<string, LoggedDelivery>,
): Difference[] {
  const differences: Difference[] = [];
  for (const sid of new Set([...live.keys(), ...logged.keys()])) {
    const [is, should] = [live.get(sid), logged.get(sid)];
    if (sameDelivery(is, should)) continue;
    differences.push({ key: `${key} ${sid}`, redis: textOfDelivery(is), log: textOfDelivery(should) });
  }
  return differences;
}

const textOfDelivery = (delivery: { state: string; attempt: number } | undefined): string =>
  delivery ? `${delivery.state}, attempt ${delivery.attempt}` : 'absent';

function sameDelivery(live: Delivery | undefined, logged: LoggedDelivery | undefined): boolean {
  if (!live) return !logged;
  // An unconfirmed claim: its attempt may or may not be on the log yet.
  if (live.state === 'sent' && live.reason !== '-')
    return !logged || (logged.state === 'sent' && logged.attempt <= live.attempt);
  if (!logged || live.state !== logged.state) return false;
  // Only Redis has attempts that were claimed and not sent before the delivery was withdrawn.
  if (live.state === 'removed') return true;
  return live.attempt === logged.attempt && (live.state !== 'failed' || live.reason === logged.code);
}

/** The facts that must match: everything except the time of the last contact and expired tags. */
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

/** `live` and `logged`: results of essenceOf; undefined if there is none. */
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
