/**
 * A simulated sensor. It is offline (no connection id) or online. Guarantees:
 * - it accepts only dispatches for its current connection that have not expired;
 * - it ignores a copy of a dispatch, and answers a further attempt of a task again without running the task;
 * - it runs a task at most once, while the task is among the last `TASKS_KEPT` tasks that it ran.
 * No I/O; the caller passes the time.
 */
import type { TaskDispatch } from '../model/records.ts';
import { type Answer, type AnswerSettings, answerTo } from './answer.ts';
import type { FleetSensor } from './sensor.ts';

export type Ignored = 'offline' | 'other_connection' | 'expired' | 'copy';

/** `ran`: the sensor ran the command now; false: it repeats the answer. `answer` null: the sensor goes down. */
export type Heard = { ignored: Ignored } | { ignored?: never; ran: boolean; answer: Answer | null };

const TASKS_KEPT = 10_000;

export class Agent {
  readonly sensor: FleetSensor;
  /** null while offline. */
  connectionId: string | null = null;
  /** The last dispatch of each task that has run, oldest first. */
  readonly #ran = new Map<string, string>();

  constructor(sensor: FleetSensor) {
    this.sensor = sensor;
  }

  hear(dispatch: TaskDispatch, settings: AnswerSettings, nowMs: number): Heard {
    const ignored = this.#reasonToIgnore(dispatch, nowMs);
    if (ignored) return { ignored };
    const ran = !this.#ran.has(dispatch.task_id);
    this.#remember(dispatch);
    return { ran, answer: answerTo(dispatch, this.sensor, settings, nowMs) };
  }

  #reasonToIgnore(dispatch: TaskDispatch, nowMs: number): Ignored | undefined {
    if (this.connectionId === null) return 'offline';
    if (dispatch.connection_id !== this.connectionId) return 'other_connection';
    if (nowMs >= dispatch.expires_at) return 'expired';
    if (this.#ran.get(dispatch.task_id) === dispatch.dispatch_id) return 'copy';
    return undefined;
  }

  #remember(dispatch: TaskDispatch): void {
    this.#ran.delete(dispatch.task_id);
    this.#ran.set(dispatch.task_id, dispatch.dispatch_id);
    if (this.#ran.size > TASKS_KEPT) this.#ran.delete(this.#ran.keys().next().value as string);
  }
}
