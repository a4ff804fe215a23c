/**
 * A queue of sensors whose tasks are too costly to match within a presence batch. One org with costly regular expressions must not
 * block the partition for the others. The sensors are matched one after another, orgs in turn, in slices; the process does other
 * work between slices. After a crash the next owner matches all sensors of the seat, so nothing is lost.
 *
 * It runs while the queue is not empty. A sensor is in the queue once, however often it is added.
 */
import type { Sensor } from './org-partition.ts';

export class Later {
  readonly #byOrg = new Map<string, Set<Sensor>>();
  readonly #ask: (sensor: Sensor) => Promise<void>;
  #running: Promise<void> | null = null;
  #stopped = false;

  /** `ask` matches a sensor and sends what is due; it must not reject: the redelivery timer retries what it cannot send. */
  constructor(ask: (sensor: Sensor) => Promise<void>) {
    this.#ask = ask;
  }

  add(sensor: Sensor): void {
    if (this.#stopped) return;
    const waiting = this.#byOrg.get(sensor.oid);
    if (waiting) waiting.add(sensor);
    else this.#byOrg.set(sensor.oid, new Set([sensor]));
    this.#running ??= this.#run();
  }

  /** Resolves when the one that is being asked has been. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#byOrg.clear();
    await this.#running;
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // let the caller of `add` continue first
    while (this.#byOrg.size > 0) {
      for (const [oid, waiting] of this.#byOrg) {
        const [sensor] = waiting;
        if (sensor !== undefined) waiting.delete(sensor);
        if (waiting.size === 0) this.#byOrg.delete(oid);
        if (sensor !== undefined) await this.#ask(sensor);
      }
    }
    this.#running = null;
  }
}
