/**
 * Compares the expected results of the demonstration with the live stream. It counts each delivery once, however often its event
 * arrives, and ignores tasks of others and of earlier runs. No I/O.
 */
import type { FleetSensor } from '../fleet/sensor.ts';
import type { Cast } from './cast.ts';
import type { DemoTask } from './tasks.ts';

/** A task of this run, with its id from the server. */
export type QueuedTask = DemoTask & { taskId: string };

export type Row = { what: string; expected: number; seen: number };

type Seen = { type: string; taskId: string; sid: string | undefined; afterConnects: boolean };

export class Tally {
  readonly #cast: Cast;
  readonly #tasks: QueuedTask[] = [];
  readonly #seen = new Map<string, Seen>();
  /** Redeliveries. Every sensor of the demonstration answers, so there should be none. */
  readonly #repeats = new Map<string, string>();
  /** The ids of pending tasks in the last answer of `list`. */
  #listed = new Set<string>();
  #afterConnects = false;

  constructor(cast: Cast) {
    this.#cast = cast;
  }

  add(task: QueuedTask): void {
    this.#tasks.push(task);
  }

  /** The returning sensors connect from now on. An earlier dispatch to them would be an error. */
  connectsBegin(): void {
    this.#afterConnects = true;
  }

  note(type: string, taskId: string, sid: string | undefined, attempt = 1): void {
    if (type === 'task_sent' && attempt > 1) this.#repeats.set(JSON.stringify([taskId, sid, attempt]), taskId);
    const seen = { type, taskId, sid, afterConnects: this.#afterConnects };
    this.#seen.set(JSON.stringify(seen), seen);
  }

  noteList(taskIds: Iterable<string>): void {
    this.#listed = new Set(taskIds);
  }

  /** All rows, in the order of the story. */
  rows(): Row[] {
    const { online, returning, away } = this.#cast;
    const ended = (type: string) => (task: QueuedTask) => this.#has(type, task) && !this.#has('task_sent', task);
    return [
      { what: 'queued', expected: this.#tasks.length, seen: this.#count((task) => this.#has('add_task', task)) },
      this.#deliveries('delivered at once', online, (task, sid) => this.#hasDelivery('task_sent', task, sid, false)),
      this.#deliveries('delivered after a connect', returning, (task, sid) =>
        this.#hasDelivery('task_sent', task, sid, true),
      ),
      this.#deliveries('acknowledged', [...online, ...returning], (task, sid) =>
        this.#hasDelivery('task_done', task, sid),
      ),
      this.#fate('expired undelivered', 'expires', ended('task_expired')),
      this.#fate('untasked before delivery', 'untasked', ended('task_removed')),
      this.#fate('still pending, in list', 'pending', (task) => this.#listed.has(task.taskId)),
      {
        what: 'ended, but in list',
        expected: 0,
        seen: this.#count((task) => task.fate !== 'pending' && this.#listed.has(task.taskId)),
      },
      { what: 'failed', expected: 0, seen: this.#count((task) => this.#has('task_failure', task)) },
      { what: 'delivered again', expected: 0, seen: this.#repeated() },
      { what: 'sent to offline sensors', expected: 0, seen: this.#sentTo(away) },
    ];
  }

  /** True if the rows with these names, or all rows, are as expected. */
  complete(...names: string[]): boolean {
    return this.rows().every(
      ({ what, expected, seen }) => seen === expected || (names.length > 0 && !names.includes(what)),
    );
  }

  #deliveries(what: string, sensors: FleetSensor[], isSeen: (task: QueuedTask, sid: string) => boolean): Row {
    const due = this.#tasks
      .filter(({ fate }) => fate === 'pending')
      .flatMap((task) => sensors.filter((sensor) => task.matches(sensor)).map(({ sid }) => ({ task, sid })));
    return { what, expected: due.length, seen: due.filter(({ task, sid }) => isSeen(task, sid)).length };
  }

  #fate(what: string, fate: DemoTask['fate'], isSeen: (task: QueuedTask) => boolean): Row {
    const expected = this.#count((task) => task.fate === fate);
    return { what, expected, seen: this.#count((task) => task.fate === fate && isSeen(task)) };
  }

  #count(wanted: (task: QueuedTask) => boolean): number {
    return this.#tasks.filter(wanted).length;
  }

  #repeated(): number {
    const ids = new Set(this.#tasks.map(({ taskId }) => taskId));
    return [...this.#repeats.values()].filter((taskId) => ids.has(taskId)).length;
  }

  #sentTo(sensors: FleetSensor[]): number {
    const sids = new Set(sensors.map(({ sid }) => sid));
    const ids = new Set(this.#tasks.map(({ taskId }) => taskId));
    return [...this.#seen.values()].filter(
      ({ type, taskId, sid }) => type === 'task_sent' && ids.has(taskId) && sid !== undefined && sids.has(sid),
    ).length;
  }

  #has(type: string, { taskId }: QueuedTask): boolean {
    return [...this.#seen.values()].some((seen) => seen.type === type && seen.taskId === taskId);
  }

  #hasDelivery(type: string, { taskId }: QueuedTask, sid: string, afterConnects?: boolean): boolean {
    const phases = afterConnects === undefined ? [false, true] : [afterConnects];
    return phases.some((phase) => this.#seen.has(JSON.stringify({ type, taskId, sid, afterConnects: phase })));
  }
}
