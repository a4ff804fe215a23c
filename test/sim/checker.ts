/**
 * Checks every record at its append against the invariants of docs/guarantees.md. It knows the logs and the answers of the API.
 * rest.ts checks I1 and everything that shows only at rest.
 *
 * I2, I3 and I4 hold for `dispatched_at`. A record that is appended more than a lease later was delayed after its last check, by a
 * pause of the process or by the broker. Such appends are counted, not checked.
 */

import { checkSensorEvent } from '../../src/command/check.ts';
import type { SensorEvent, TaskDispatch, TaskEvent } from '../../src/model/records.ts';
import { isDeliveryNotice, taskNamedBy } from '../../src/model/task.ts';
import type { Oracle, OracleSensor, OracleTask } from './oracle.ts';

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8';

export class Violation extends Error {
  readonly invariant: Invariant;

  constructor(invariant: Invariant, message: string) {
    super(`${invariant}: ${message}`);
    this.invariant = invariant;
  }
}

/** What is known about one delivery. Times are virtual ms. */
export type DeliveryHistory = {
  dispatches: { atMs: number; connectionId: string; attempt: number }[];
  receiptMs: number | null;
  receiptAfterDispatch: boolean;
  settled: { eventId: string; type: 'TASK_DONE' | 'TASK_FAILURE'; atMs: number } | null;
  removed: boolean;
  /** The last attempt with a TASK_SENT; 0: none. */
  sentAttempt: number;
  /** When an untask of some sensors that withdrew it was answered. */
  untaskedMs: number | null;
};

export type CheckerOptions = {
  oracle: Oracle;
  leaseMs: number;
  marginMs: number;
};

type Append = { atMs: number; sentMs: number };

export class Checker {
  readonly deliveries = new Map<string, DeliveryHistory>();
  readonly events = new Map<string, Map<string, Set<string>>>();
  readonly deadLetters = new Set<string>();
  /** Answered untasks of whole tasks. */
  readonly untasked = new Map<string, number>();
  readonly stats = { dispatches: 0, copies: 0, late: 0, settled: 0, deadLetters: 0 };
  readonly #options: CheckerOptions;
  readonly #ids = new Set<string>();
  /** By org and partition: which presence offset was processed when. Both increase. */
  readonly #processed = new Map<string, { atMs: number; offset: number }[]>();

  constructor(options: CheckerOptions) {
    this.#options = options;
  }

  delivery(oid: string, taskId: string, sid: string): DeliveryHistory {
    const name = `${oid} ${taskId} ${sid}`;
    let delivery = this.deliveries.get(name);
    if (delivery === undefined) {
      delivery = {
        dispatches: [],
        receiptMs: null,
        receiptAfterDispatch: false,
        settled: null,
        removed: false,
        sentAttempt: 0,
        untaskedMs: null,
      };
      this.deliveries.set(name, delivery);
    }
    return delivery;
  }

  onProcessed(oid: string, partition: number, offset: number, atMs: number): void {
    const name = `${oid} ${partition}`;
    const history = this.#processed.get(name) ?? [];
    if (history.length === 0) this.#processed.set(name, history);
    if (offset > (history.at(-1)?.offset ?? -1)) history.push({ atMs, offset });
  }

  onDispatch(dispatch: TaskDispatch, append: Append): void {
    const { oid, task_id: taskId, sid } = dispatch;
    this.stats.dispatches += 1;
    if (this.#ids.has(dispatch.dispatch_id)) this.stats.copies += 1;
    this.#ids.add(dispatch.dispatch_id);
    const task = this.#options.oracle.tasks.get(`${oid} ${taskId}`);
    const sensor = this.#options.oracle.sensors.get(`${oid} ${sid}`);
    this.#staysInOrg(dispatch, task, sensor);
    const delivery = this.delivery(oid, taskId, sid);
    this.#isInTime(dispatch, task as OracleTask, append);
    this.#isNotAfter(
      'I3',
      'after its untask was answered',
      this.untasked.get(`${oid} ${taskId}`) ?? null,
      dispatch,
      append,
    );
    this.#isNotAfter('I3', 'after the untask of this sensor was answered', delivery.untaskedMs, dispatch, append);
    if (!task?.doneWhenSent)
      this.#isNotAfter('I4', `after its ${delivery.settled?.type}`, delivery.settled?.atMs ?? null, dispatch, append);
    this.#matches(dispatch, task as OracleTask, sensor as OracleSensor, append);
    delivery.dispatches.push({ atMs: append.atMs, connectionId: dispatch.connection_id, attempt: dispatch.attempt });
  }

  #staysInOrg(dispatch: TaskDispatch, task: OracleTask | undefined, sensor: OracleSensor | undefined): void {
    const what = `a dispatch of ${dispatch.task_id} to ${dispatch.sid} of ${dispatch.oid}`;
    if (!task) throw new Violation('I6', `${what}, which has no such task`);
    if (!sensor) throw new Violation('I6', `${what}, which has no such sensor`);
    if (task.command.task !== dispatch.task) throw new Violation('I6', `${what} carries "${dispatch.task}"`);
  }

  #isInTime(dispatch: TaskDispatch, { expiresAtMs }: OracleTask, { atMs, sentMs }: Append): void {
    const { marginMs } = this.#options;
    if (dispatch.dispatched_at > expiresAtMs - marginMs)
      throw new Violation(
        'I2',
        `dispatch ${describe(dispatch)} was claimed ${dispatch.dispatched_at - expiresAtMs} ms from its expiry`,
      );
    if (atMs < expiresAtMs) return;
    this.stats.late += 1;
    if (atMs - sentMs < marginMs)
      throw new Violation('I2', `dispatch ${describe(dispatch)} was written ${atMs - expiresAtMs} ms after its expiry`);
  }

  #isNotAfter(
    invariant: Invariant,
    what: string,
    sinceMs: number | null,
    dispatch: TaskDispatch,
    { atMs }: Append,
  ): void {
    if (sinceMs === null || atMs < sinceMs) return;
    this.stats.late += 1;
    if (dispatch.dispatched_at > sinceMs || atMs - dispatch.dispatched_at <= this.#options.leaseMs)
      throw new Violation(
        invariant,
        `dispatch ${describe(dispatch)} was written ${Math.round(atMs - sinceMs)} ms ${what}, ${Math.round(atMs - dispatch.dispatched_at)} ms after its claim`,
      );
  }

  /** A state of the sensor that can have been the last processed one when the dispatch was sent has to match. */
  #matches(dispatch: TaskDispatch, task: OracleTask, sensor: OracleSensor, { sentMs }: Append): void {
    const least = this.processedAt(sensor, sentMs);
    const isCandidate = (state: OracleSensor['states'][number], next: OracleSensor['states'][number] | undefined) =>
      state.atMs <= sentMs && (next === undefined || next.offset >= least);
    const isMatch = sensor.states.some(
      (state, i) =>
        isCandidate(state, sensor.states[i + 1]) &&
        state.online &&
        state.connectionId === dispatch.connection_id &&
        task.matches(state.record) === true,
    );
    if (!isMatch)
      throw new Violation(
        'I5',
        `dispatch ${describe(dispatch)} over ${dispatch.connection_id} matches no state of the sensor from offset ${least} on`,
      );
  }

  /** The presence offset that an owner had certainly read by then. */
  processedAt({ oid, partition }: OracleSensor, atMs: number): number {
    const history = this.#processed.get(`${oid} ${partition}`) ?? [];
    return history.findLast((entry) => entry.atMs < atMs)?.offset ?? 0;
  }

  onEvent(event: TaskEvent, atMs: number): void {
    const { oid, task_id: taskId, sid, type, event_id: eventId } = event;
    const what = `${type} of ${taskId}${sid === null ? '' : ` for ${sid}`}`;
    const task = this.#options.oracle.tasks.get(`${oid} ${taskId}`);
    if (!task) throw new Violation('I6', `${what} in ${oid}, which has no such task`);
    this.#note(`${oid} ${taskId}`, `${type} ${sid ?? ''}`, eventId);
    if (type === 'TASK_EXPIRED' && atMs < task.expiresAtMs) throw new Violation('I7', `${what} before its expiry`);
    if (type === 'TASK_REMOVED' && sid === null && task.removedMs === null)
      throw new Violation('I7', `${what} without an UNTASK`);
    if (sid === null) return;
    const delivery = this.delivery(oid, taskId, sid);
    if (type === 'TASK_REMOVED') delivery.removed = true;
    if (type === 'TASK_SENT') delivery.sentAttempt = Math.max(delivery.sentAttempt, event.attempt ?? 0);
    if (type === 'TASK_DONE' || type === 'TASK_FAILURE') this.#settles(event, delivery, task, what, atMs);
  }

  #settles(event: TaskEvent, delivery: DeliveryHistory, task: OracleTask, what: string, atMs: number): void {
    if (delivery.receiptMs === null && !task.doneWhenSent)
      throw new Violation('I6', `${what} in ${event.oid} without a receipt`);
    if (delivery.settled && delivery.settled.eventId !== event.event_id)
      throw new Violation('I8', `${what}, attempt ${event.attempt}, differs from the earlier ${delivery.settled.type}`);
    if (delivery.settled) return;
    this.stats.settled += 1;
    delivery.settled = { eventId: event.event_id, type: event.type as 'TASK_DONE' | 'TASK_FAILURE', atMs };
  }

  #note(task: string, kind: string, eventId: string): void {
    const kinds = this.events.get(task) ?? new Map<string, Set<string>>();
    this.events.set(task, kinds);
    const ids = kinds.get(kind) ?? new Set<string>();
    kinds.set(kind, ids.add(eventId));
  }

  onReceipt(key: string | null, event: SensorEvent | null, atMs: number): void {
    if (event === null) return;
    const checked = checkSensorEvent(key, event, this.#options.oracle.orgs);
    if (checked.refusal) return;
    const taskId = taskNamedBy(event, checked.routing);
    if (taskId === null || isDeliveryNotice(event)) return;
    const delivery = this.delivery(event.oid, taskId, event.sid);
    delivery.receiptMs ??= atMs;
    if (delivery.dispatches.length > 0) delivery.receiptAfterDispatch = true;
  }

  /** A valid command must not be refused. */
  onDeadLetter(topic: string, partition: number, offset: number, code: string): void {
    this.stats.deadLetters += 1;
    this.deadLetters.add(`${topic}/${partition}/${offset}`);
    if (topic !== 'task-commands') return;
    const verdict = this.#options.oracle.verdicts.get(`${partition}/${offset}`);
    if (verdict !== 'refused' && verdict !== 'conflict')
      throw new Violation('I7', `the command at ${partition}/${offset} is ${verdict}, and was refused with ${code}`);
  }

  /** The UNTASK at this offset was answered. A later one on the log was not. */
  onUntasked(oid: string, taskId: string, offset: number, atMs: number): void {
    const name = `${oid} ${taskId}`;
    const { removedBy = null } = this.#options.oracle.tasks.get(name) ?? {};
    if (removedBy !== null && removedBy <= offset && !this.untasked.has(name)) this.untasked.set(name, atMs);
  }
}

const describe = ({ oid, task_id, sid, attempt }: TaskDispatch): string =>
  `${task_id} to ${sid} of ${oid.slice(0, 4)}, attempt ${attempt},`;
