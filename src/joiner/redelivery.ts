/** Until when pairs need no claim, and their timers. What is remembered here only saves claims that would be refused. */
import type { Due } from './delivery/claim-batch.ts';
import { SETTLED } from './pending-tasks.ts';
import type { RedeliverySchedule } from './redelivery-schedule.ts';

export class Redelivery {
  readonly #schedule: RedeliverySchedule;

  constructor(schedule: RedeliverySchedule) {
    this.#schedule = schedule;
  }

  /** Not before `untilMono` while the connection `tag` is open; then the pair comes up by its timer. */
  until(due: Due, connectionHash: string, untilMono: number): void {
    const { task, sensor } = due;
    if (!isHeld(due)) return;
    task.redelivery.set(sensor, { connectionHash, untilMono });
    this.#schedule.push({ atMono: untilMono, sensor, task });
  }

  /** Not before `untilMono`; whoever sets it brings the pair up again. */
  hold(due: Due, connectionHash: string, untilMono: number): void {
    if (isHeld(due)) due.task.redelivery.set(due.sensor, { connectionHash, untilMono });
  }

  settle(due: Due): void {
    if (isHeld(due)) due.task.redelivery.set(due.sensor, SETTLED);
  }

  forget(deliveries: Iterable<Due>): void {
    for (const { task, sensor } of deliveries) task.redelivery.delete(sensor);
  }
}

/** Of what is no longer held nothing is remembered: nobody would take it out again. */
const isHeld = ({ task, sensor }: Due): boolean =>
  !task.gone && sensor.orgPartition.fencingToken !== null && sensor.orgPartition.sensors.get(sensor.sid) === sensor;
