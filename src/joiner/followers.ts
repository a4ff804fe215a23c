/** The pending tasks of every org in memory, each org followed by itself. */
import type { RolePorts } from '../ports.ts';
import type { Slices } from '../selector/index.ts';
import type { Due } from './delivery/claim-batch.ts';
import { type Added, Follower } from './follow.ts';
import type { Sensor } from './org-partition.ts';
import type { MatchLimit, Task } from './pending-tasks.ts';

export class Followers {
  readonly #byOrg = new Map<string, Follower>();
  readonly #ports: Pick<RolePorts, 'projection' | 'clock' | 'log'>;
  readonly #onAdded: (oid: string, added: Added) => void;

  constructor(ports: Pick<RolePorts, 'projection' | 'clock' | 'log'>, onAdded: (oid: string, added: Added) => void) {
    this.#ports = ports;
    this.#onAdded = onAdded;
  }

  task(oid: string, taskId: string): Task | undefined {
    return this.#byOrg.get(oid)?.tasks.get(taskId);
  }

  /** How many tasks are held. */
  get size(): number {
    return [...this.#byOrg.values()].reduce((sum, { tasks }) => sum + tasks.size, 0);
  }

  /** What is due of the sensor, as far as `limit` goes. */
  match(sensor: Sensor, due: Due[], limit?: MatchLimit): void {
    for (const task of this.#byOrg.get(sensor.oid)?.tasks.match(sensor, limit) ?? []) due.push({ sensor, task });
  }

  /** All that is due of the sensor. */
  async matchInSlices(sensor: Sensor, slices: Slices): Promise<Due[]> {
    const tasks = (await this.#byOrg.get(sensor.oid)?.tasks.matchInSlices(sensor, slices)) ?? [];
    return tasks.map((task) => ({ sensor, task }));
  }

  /** Redis has a later version of the org than is held. */
  isBehind(oid: string, version: number): boolean {
    return version > (this.#byOrg.get(oid)?.tasks.version ?? version);
  }

  /** Resolves when the org's tasks are held as they stand in Redis. Rejects where they can't be read, or Redis has meanwhile
   *  lost that epoch. */
  async hold(oid: string, epoch: string): Promise<void> {
    await this.catchUp(oid, epoch);
    if (this.#follower(oid).tasks.epoch !== epoch) throw new Error('the tasks are of another epoch');
  }

  catchUp(oid: string, epoch: string): Promise<void> {
    return this.#follower(oid).catchUp(epoch);
  }

  /** Nothing is remembered of sensors that are no longer held. */
  forget(sensors: Iterable<Sensor>): void {
    for (const [oid, gone] of Map.groupBy(sensors, (sensor) => sensor.oid))
      this.#byOrg.get(oid)?.tasks.forget(new Set(gone));
  }

  #follower(oid: string): Follower {
    const known = this.#byOrg.get(oid);
    if (known) return known;
    const follower = new Follower(oid, this.#ports, (added) => this.#onAdded(oid, added));
    this.#byOrg.set(oid, follower);
    return follower;
  }
}
