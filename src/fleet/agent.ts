/**
 * One simulated sensor at work. Its states: offline (no connection id) and online. What it guarantees:
 * - it hears only what is sent to its current connection and has not expired;
 * - a copy of a dispatch changes nothing; another attempt of a task that it has run is answered again without running it;
 * - a task runs at most once, for as long as it is among the last `TASKS_KEPT` that it ran.
 * No I/O; the time is given.
 */
import type { TaskDispatch } from '../model/records.ts';
import { type Answer, type AnswerSettings, answerTo } from './answer.ts';
import type { FleetSensor } from './sensor.ts';

export type Ignored = 'offline' | 'other_connection' | 'expired' | 'copy';

/** `ran`: the command was carried out now; false: the answer is given once more. `answer` null: the sensor goes down. */
export type Heard = { ignored: Ignored } | { ignored?: never; ran: boolean; answer: Answer | null };

const TASKS_KEPT = 10_000;

export class Agent {
  readonly sensor: FleetSensor;
  /** null while offline. */
  connectionId: string | null = null;
  /** The last dispatch heard of each task that has run, oldest first. */
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
