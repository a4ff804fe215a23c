/** Counts once a minute the online sensors of each live org partition, for the overview of the console. */
import type { RolePorts } from '../ports.ts';
import { minuteOf } from '../projector/stats.ts';
import type { OrgPartition } from './org-partition.ts';

export class OnlineCounter {
  readonly #ports: Pick<RolePorts, 'clock' | 'stats'>;
  #minute = 0;

  constructor(ports: Pick<RolePorts, 'clock' | 'stats'>) {
    this.#ports = ports;
  }

  async write(orgPartitions: Iterable<OrgPartition>): Promise<void> {
    const minute = minuteOf(this.#ports.clock.nowMs());
    if (minute === this.#minute) return;
    const live = [...orgPartitions].filter((orgPartition) => orgPartition.live);
    if (live.length === 0) return;
    await this.#ports.stats.writeOnline(
      live.map((orgPartition) => ({
        oid: orgPartition.oid,
        partition: orgPartition.partition,
        minute,
        online: onlineIn(orgPartition),
      })),
    );
    this.#minute = minute;
  }
}

function onlineIn({ sensors }: OrgPartition): number {
  let count = 0;
  for (const { online } of sensors.values()) if (online) count += 1;
  return count;
}
