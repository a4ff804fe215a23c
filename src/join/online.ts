/** Tells once a minute how many sensors are online in each live seat: the overview shows it, nothing else rests on it. */
import type { RolePorts } from '../ports.ts';
import { minuteOf } from '../projection/stats.ts';
import type { Seat } from './seat.ts';

export class OnlineCounter {
  readonly #ports: Pick<RolePorts, 'clock' | 'stats'>;
  #minute = 0;

  constructor(ports: Pick<RolePorts, 'clock' | 'stats'>) {
    this.#ports = ports;
  }

  async write(seats: Iterable<Seat>): Promise<void> {
    const minute = minuteOf(this.#ports.clock.nowMs());
    if (minute === this.#minute) return;
    const live = [...seats].filter((seat) => seat.live);
    if (live.length === 0) return;
    await this.#ports.stats.writeOnline(
      live.map((seat) => ({ oid: seat.oid, partition: seat.partition, minute, online: onlineIn(seat) })),
    );
    this.#minute = minute;
  }
}

function onlineIn({ sensors }: Seat): number {
  let count = 0;
  for (const { online } of sensors.values()) if (online) count += 1;
  return count;
}
