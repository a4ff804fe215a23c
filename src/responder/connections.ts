/** The connection that each sensor opened last. A copy of its CONNECTED is no new event for the rules. Forgets the oldest. */
import type { SensorPresence } from '../model/records.ts';

export class Connections {
  readonly #last = new Map<string, string>();
  readonly #max: number;

  constructor(max = 200_000) {
    this.#max = max;
  }

  isKnown({ oid, sid, connection_id }: SensorPresence): boolean {
    return this.#last.get(`${oid}/${sid}`) === connection_id;
  }

  note({ oid, sid, connection_id }: SensorPresence): void {
    const sensor = `${oid}/${sid}`;
    this.#last.delete(sensor);
    this.#last.set(sensor, connection_id);
    if (this.#last.size > this.#max) for (const oldest of this.#last.keys()) return void this.#last.delete(oldest);
  }
}
