/** Until when pairs need no claim, and their timers. What is remembered here only saves claims that would be refused. */
import type { Due } from './flight.ts';
import { SETTLED } from './tasks.ts';
import type { Timers } from './timers.ts';

export class Waits {
  readonly #timers: Timers;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Not before `untilMono` while the connection `tag` is open; then the pair comes up by its timer. */
  until(due: Due, tag: string, untilMono: number): void {
    const { task, sensor } = due;
    if (!isHeld(due)) return;
    task.waits.set(sensor, { tag, untilMono });
    this.#timers.push({ atMono: untilMono, sensor, task });
  }

  /** Not before `untilMono`; whoever sets it brings the pair up again. */
  hold(due: Due, tag: string, untilMono: number): void {
    if (isHeld(due)) due.task.waits.set(due.sensor, { tag, untilMono });
  }

  settle(due: Due): void {
    if (isHeld(due)) due.task.waits.set(due.sensor, SETTLED);
  }

  forget(pairs: Iterable<Due>): void {
    for (const { task, sensor } of pairs) task.waits.delete(sensor);
  }
}

/** Of what is no longer held nothing is remembered: nobody would take it out again. */
const isHeld = ({ task, sensor }: Due): boolean =>
  !task.gone && sensor.seat.token !== null && sensor.seat.sensors.get(sensor.sid) === sensor;
