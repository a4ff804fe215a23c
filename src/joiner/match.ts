/**
 * Matches tasks against sensors, in both directions: sensors that connected or changed against the pending tasks of their org, and
 * new tasks against the sensors of the live org partitions. Both sides are in memory before they match, so whatever changes
 * between two slices is matched by its own event.
 *
 * Millions of evaluations and costly regular expressions (selector/work.ts) must not block the process: matching runs in slices,
 * and a presence batch has a work budget. Sensors above the budget go to a queue and are matched later, orgs in turn, so one org
 * does not block a partition for the others. The queue needs no storage: after a crash the next owner matches all sensors.
 */
import type { Clock } from '../async/clock.ts';
import { Slices } from '../selector/slices.ts';
import { work } from '../selector/work-counter.ts';
import type { OrgPartition, Sensor } from './org-partition.ts';
import { type Due, selects, type Task } from './org-tasks.ts';
import type { PendingTasks } from './pending-tasks.ts';

/** Work budget of one batch, for one org and for all: at most about 50 and 200 ms, plus one selector. */
const ORG_WORK = 500_000;
const BATCH_WORK = 2_000_000;
/** Evaluations between two slices: some milliseconds. */
export const EVALUATIONS_PER_SLICE = 20_000;
/** Sensors between two slices, each matched by the index of its org. */
export const SENSORS_PER_SLICE = 1_000;

type MatcherOptions = {
  clock: Pick<Clock, 'delay'>;
  pendingTasks: Pick<PendingTasks, 'match' | 'matchInSlices'>;
  /** The org has a subscription now. */
  isSubscribed(oid: string): boolean;
  /** Sends what the queue finds. Must not reject. */
  send(due: Due[]): Promise<void>;
};

export class Matcher {
  readonly #options: MatcherOptions;
  readonly #queue: SensorQueue;

  constructor(options: MatcherOptions) {
    this.#options = options;
    this.#queue = new SensorQueue(async (sensor) => options.send(await this.all([sensor])));
  }

  /** The deliveries of these sensors within the work budget. The other sensors go to the queue. */
  withinBudget(sensors: Iterable<Sensor>): Due[] {
    const due: Due[] = [];
    const spent = { all: 0, byOrg: new Map<string, number>() };
    for (const sensor of sensors) {
      if (!this.#canReceive(sensor)) continue;
      const spentByOrg = spent.byOrg.get(sensor.oid) ?? 0;
      const limit = { most: Math.max(0, Math.min(ORG_WORK - spentByOrg, BATCH_WORK - spent.all)), isReached: false };
      const before = work.spent;
      this.#options.pendingTasks.match(sensor, due, limit);
      if (limit.isReached) this.#queue.add(sensor);
      const cost = work.spent - before;
      if (cost === 0) continue;
      spent.byOrg.set(sensor.oid, spentByOrg + cost);
      spent.all += cost;
    }
    return due;
  }

  /** All deliveries of these sensors, in slices. */
  async all(sensors: Iterable<Sensor>): Promise<Due[]> {
    const { clock, pendingTasks } = this.#options;
    const slices = new Slices(() => clock.delay(0));
    const due: Due[] = [];
    const snapshot = [...sensors]; // the org partition can change between two slices
    for (const [i, sensor] of snapshot.entries()) {
      if (i > 0 && i % SENSORS_PER_SLICE === 0) await clock.delay(0);
      if (slices.isOver) await slices.pause();
      if (!this.#canReceive(sensor)) continue;
      for (const delivery of await pendingTasks.matchInSlices(sensor, slices)) due.push(delivery);
    }
    return due;
  }

  stop(): Promise<void> {
    return this.#queue.stop();
  }

  #canReceive({ online, orgPartition, oid }: Sensor): boolean {
    return online && orgPartition.live && this.#options.isSubscribed(oid);
  }
}

/** How many sensors of an org partition a task selects. */
export type TaskCount = { oid: string; taskId: string; partition: number; matched: number; online: number };

/** Matches new tasks. `due`: deliveries of online sensors. `counts`: of each task in each org partition that was live from
 *  beginning to end. */
export async function matchNewTasks(
  clock: Pick<Clock, 'delay'>,
  orgPartitions: Iterable<OrgPartition>,
  tasks: readonly Task[],
): Promise<{ due: Due[]; counts: TaskCount[] }> {
  const due: Due[] = [];
  const counts: TaskCount[] = [];
  let evaluated = 0;
  const slices = new Slices(() => clock.delay(0));
  for (const orgPartition of orgPartitions) {
    if (!orgPartition.live) continue; // it matches all tasks when it goes live
    const { oid, partition, fencingToken } = orgPartition;
    for (const task of tasks) {
      let [matched, online] = [0, 0];
      for (const sensor of candidates(orgPartition, task)) {
        if (++evaluated % EVALUATIONS_PER_SLICE === 0 || slices.isOver) await slices.pause();
        if (!selects(task, sensor)) continue;
        matched += 1;
        if (!sensor.online) continue;
        online += 1;
        due.push({ sensor, task });
      }
      if (orgPartition.live && orgPartition.fencingToken === fencingToken)
        counts.push({ oid, taskId: task.taskId, partition, matched, online });
    }
  }
  return { due, counts };
}

const candidates = (orgPartition: OrgPartition, task: Task): Iterable<Sensor> => {
  if (task.sid === undefined) return orgPartition.sensors.values();
  const sensor = orgPartition.sensors.get(task.sid);
  return sensor ? [sensor] : [];
};

/** Sensors that wait for their match. A sensor is in the queue once, however often it is added. */
class SensorQueue {
  readonly #byOrg = new Map<string, Set<Sensor>>();
  readonly #match: (sensor: Sensor) => Promise<void>;
  #running: Promise<void> | null = null;
  #stopped = false;

  constructor(match: (sensor: Sensor) => Promise<void>) {
    this.#match = match;
  }

  add(sensor: Sensor): void {
    if (this.#stopped) return;
    const waiting = this.#byOrg.get(sensor.oid);
    if (waiting) waiting.add(sensor);
    else this.#byOrg.set(sensor.oid, new Set([sensor]));
    this.#running ??= this.#run();
  }

  /** Resolves when the match that runs has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#byOrg.clear();
    await this.#running;
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // the caller of `add` continues first
    while (this.#byOrg.size > 0) {
      for (const [oid, waiting] of this.#byOrg) {
        const [sensor] = waiting;
        if (sensor !== undefined) waiting.delete(sensor);
        if (waiting.size === 0) this.#byOrg.delete(oid);
        if (sensor !== undefined) await this.#match(sensor);
      }
    }
    this.#running = null;
  }
}
