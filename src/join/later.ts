/**
 * Sensors whose tasks cost too much to be asked while a batch of presence waits: one org with costly regular expressions must
 * not hold up the partition for the others. They are asked one after another, orgs in turn, in slices between which everything
 * else goes on. What is lost in a crash is found again by the next owner, who matches all sensors of the seat.
 *
 * It runs while there is something to do. A sensor waits once, however often it is added.
 */
import type { Sensor } from './seat.ts';

export class Later {
  readonly #byOrg = new Map<string, Set<Sensor>>();
  readonly #ask: (sensor: Sensor) => Promise<void>;
  #running: Promise<void> | null = null;
  #stopped = false;

  /** `ask` matches a sensor and sends what is due; it must not reject: what it cannot send comes again by its timer. */
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
    await Promise.resolve(); // whoever adds goes on first
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
