/**
 * What has to be true at rest: no fault for 30 seconds and no requests.
 *  I1  Every due delivery was sent over the connection that is open.
 *  I7  The projection agrees with the logs; every command had its effect once, every refused one has a dead letter.
 *  I8  Every receipt is acknowledged, and projection and log count the same one.
 */
import type { TaskState } from '../../src/model/states.ts';
import type { Checker, Invariant } from './checker.ts';
import { Violation } from './checker.ts';
import type { Oracle, OracleSensor, OracleTask } from './oracle.ts';
import type { MemoryRedis } from './redis/state.ts';

/** What can be checked with the logs alone. */
export type LogOptions = { oracle: Oracle; checker: Checker; nowMs: number };
export type RestOptions = LogOptions & { redis: MemoryRedis };

export function checkRest(options: RestOptions): void {
  const { oracle } = options;
  for (const fault of logFaults(options)) throw fault;
  for (const task of oracle.tasks.values()) {
    isStored(options, task);
    for (const sensor of oracle.sensors.values()) if (sensor.oid === task.oid) isDeliveryStored(options, task, sensor);
  }
}

/** Every violation that the logs show at rest. */
export function* logFaults(options: LogOptions): Generator<Violation> {
  const { oracle, checker } = options;
  for (const [offset, verdict] of oracle.verdicts) {
    if ((verdict === 'refused' || verdict === 'conflict') && !checker.deadLetters.has(`task-commands/${offset}`))
      yield at('I7', `the command at ${offset} is ${verdict}, and has no dead letter`);
  }
  for (const task of oracle.tasks.values()) {
    yield* hasEvents(options, task);
    for (const sensor of oracle.sensors.values()) {
      const fault = sensor.oid === task.oid ? deliveryFault(options, task, sensor) : null;
      if (fault) yield fault;
    }
  }
}

const at = (invariant: Invariant, message: string): Violation => new Violation(invariant, `at rest, ${message}`);

function fail(invariant: Invariant, message: string): never {
  throw at(invariant, message);
}

const nameOf = ({ oid, taskId }: OracleTask): string => `${taskId} of ${oid.slice(0, 4)}`;

/** A task that expires during the check can be pending or expired. */
const EDGE_MS = 2_000;

function stateOf({ removedMs, expiresAtMs }: OracleTask, nowMs: number): TaskState | 'edge' {
  if (removedMs !== null) return 'removed';
  if (expiresAtMs > nowMs) return 'pending';
  return expiresAtMs > nowMs - EDGE_MS ? 'edge' : 'expired';
}

function isStored({ redis, nowMs }: RestOptions, task: OracleTask): void {
  const org = redis.org(task.oid);
  if (org.marker?.attestedFor !== redis.runId) fail('I1', `the projection of ${task.oid} is not complete`);
  const wanted = stateOf(task, nowMs);
  if (wanted === 'edge') return;
  const row = redis.row(org, task.taskId);
  if (row?.state !== wanted) fail('I7', `task ${nameOf(task)} should be ${wanted}, and is ${row?.state}`);
  if (row.hash !== task.hash) fail('I7', `task ${nameOf(task)} has other content`);
  if (org.pending.has(task.taskId) !== (wanted === 'pending'))
    fail('I7', `task ${nameOf(task)} is wrongly in the list of pending tasks`);
}

function* hasEvents({ checker, nowMs }: LogOptions, task: OracleTask): Generator<Violation> {
  const events = checker.events.get(`${task.oid} ${task.taskId}`);
  const wanted: Record<string, boolean> = {
    ADD_TASK: true,
    TASK_REMOVED: task.removedMs !== null,
    TASK_EXPIRED: stateOf(task, nowMs) === 'expired',
  };
  for (const [type, isWanted] of Object.entries(wanted)) {
    const ids = events?.get(`${type} `)?.size ?? 0;
    if (isWanted && ids !== 1) yield at('I7', `task ${nameOf(task)} has ${ids} events ${type}`);
  }
}

function deliveryFault(options: LogOptions, task: OracleTask, sensor: OracleSensor): Violation | null {
  const { checker, nowMs } = options;
  const delivery = checker.deliveries.get(`${task.oid} ${task.taskId} ${sensor.sid}`);
  const what = `${nameOf(task)} for ${sensor.sid}`;
  if (delivery?.receiptAfterDispatch && !delivery.settled)
    return at('I8', `${what} was answered, and has no TASK_DONE`);
  if (delivery?.settled || delivery?.removed || task.removedMs !== null || task.expiresAtMs <= nowMs) return null;
  const last = sensor.states.at(-1);
  if (!last?.online || task.matches(last.record) !== true) return null;
  if (isWithdrawn(options, task, sensor)) return at('I7', `${what} should be withdrawn, and is not`);
  if (delivery?.dispatches.some(({ connectionId }) => connectionId === last.connectionId)) return null;
  return at(
    'I1',
    `${what} is due over ${last.connectionId} since ${Math.round(nowMs - last.atMs)} ms, and was not sent`,
  );
}

function isDeliveryStored({ checker, redis }: RestOptions, task: OracleTask, sensor: OracleSensor): void {
  const delivery = checker.deliveries.get(`${task.oid} ${task.taskId} ${sensor.sid}`);
  const what = `${nameOf(task)} for ${sensor.sid}`;
  const stored = redis.row(redis.org(task.oid), task.taskId)?.deliveries.get(sensor.sid);
  if (delivery?.settled && stored?.state !== (delivery.settled.type === 'TASK_DONE' ? 'done' : 'failed'))
    fail('I8', `${what} has ${delivery.settled.type}, and the projection says ${stored?.state}`);
  if (stored?.state === 'removed' && !delivery?.removed && !delivery?.settled)
    fail('I7', `${what} was withdrawn, and has no TASK_REMOVED`);
  if (delivery?.removed && !delivery.settled && stored?.state !== 'removed')
    fail('I7', `${what} has TASK_REMOVED, and the projection says ${stored?.state}`);
  if (delivery && delivery.sentAttempt > (stored?.attempt ?? 0) && stored?.state !== 'removed' && !delivery.settled)
    fail(
      'I7',
      `${what} has TASK_SENT of attempt ${delivery.sentAttempt}, and the projection says ${stored?.attempt ?? 'none'}`,
    );
}

/** The sensor matched the narrowed UNTASK all the time since before it was written, as its owner knew then. */
function isWithdrawn({ checker }: LogOptions, task: OracleTask, sensor: OracleSensor): boolean {
  return task.narrowed.some(({ appendedMs, matches }) => {
    const known = checker.processedAt(sensor, appendedMs);
    const before = sensor.states.findLastIndex(({ offset }) => offset < known);
    const fits = ({ record }: OracleSensor['states'][number]) =>
      matches(record) === true && task.matches(record) === true;
    return before !== -1 && sensor.states.slice(before).every(fits);
  });
}
