/**
 * Matches sensors with the tasks of their org. Costly regular expressions can make this slow (selector/work.ts), so matching runs
 * in slices, with other work between them, and one org does not block the partition for the others. What exceeds the work limit
 * of a presence batch is matched later (later.ts).
 */
import type { Clock } from '../async/clock.ts';
import { Slices, work } from '../selector/index.ts';
import type { Due } from './delivery/claim-batch.ts';
import type { Followers } from './followers.ts';
import { Later } from './match-later.ts';
import { matchNewTasks } from './match-new-tasks.ts';
import type { Sensor } from './org-partition.ts';

/** Work limits for the sensors of one batch, for one org and for all: at most some 50 and 200 ms, plus one selector. */
const ORG_WORK = 500_000;
const BATCH_WORK = 2_000_000;

export type MatchingOptions = {
  clock: Pick<Clock, 'delay'>;
  followers: Pick<Followers, 'match' | 'matchInSlices'>;
  /** The org may be sent something now. */
  isSubscribed(oid: string): boolean;
  /** Sends what was found later; does not reject. */
  send(due: Due[]): Promise<void>;
};

export class Matching {
  readonly #options: MatchingOptions;
  readonly #later: Later;

  constructor(options: MatchingOptions) {
    this.#options = options;
    this.#later = new Later(async (sensor) => options.send(await this.all([sensor])));
  }

  /** What is due for these sensors within the work limit. The other sensors are matched later. */
  match(sensors: Iterable<Sensor>): Due[] {
    const due: Due[] = [];
    const spent = { all: 0, byOrg: new Map<string, number>() };
    for (const sensor of sensors) {
      if (!this.#mayGet(sensor)) continue;
      const mine = spent.byOrg.get(sensor.oid) ?? 0;
      const limit = { most: Math.max(0, Math.min(ORG_WORK - mine, BATCH_WORK - spent.all)), isReached: false };
      const before = work.spent;
      this.#options.followers.match(sensor, due, limit);
      if (limit.isReached) this.#later.add(sensor);
      const cost = work.spent - before;
      if (cost === 0) continue;
      spent.byOrg.set(sensor.oid, mine + cost);
      spent.all += cost;
    }
    return due;
  }

  /** All that is due of these sensors, in slices. */
  all(sensors: Iterable<Sensor>): Promise<Due[]> {
    const { clock, followers } = this.#options;
    const slices = new Slices(() => clock.delay(0));
    return matchNewTasks(clock, sensors, async (slice) => {
      const due: Due[] = [];
      for (const sensor of slice) {
        if (slices.isOver) await slices.pause();
        if (!this.#mayGet(sensor)) continue;
        for (const delivery of await followers.matchInSlices(sensor, slices)) due.push(delivery);
      }
      return due;
    });
  }

  stop(): Promise<void> {
    return this.#later.stop();
  }

  #mayGet({ online, orgPartition, oid }: Sensor): boolean {
    return online && orgPartition.live && this.#options.isSubscribed(oid);
  }
}
