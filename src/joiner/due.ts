/**
 * Sends the deliveries that become due without a presence batch: a new task, an org partition that goes live, a redelivery time, an
 * expired tag, a subscription that starts again. Deliveries that cannot be sent become due again by themselves.
 */
import type { RolePorts } from '../ports.ts';
import { Slices } from '../selector/slices.ts';
import type { Deliver } from './delivery/deliver.ts';
import { type Matcher, matchNewTasks } from './match.ts';
import { type OrgPartition, release, type Sensor } from './org-partition.ts';
import { type Due, newCheckBudget, selects, selectsWithin } from './org-tasks.ts';
import type { Ownership } from './ownership.ts';
import type { Added, PendingTasks } from './pending-tasks.ts';
import { dropExpiredTags } from './presence-fold.ts';
import type { Redelivery } from './redelivery.ts';

const REDELIVERIES_PER_TICK = 4_000;

type DueOptions = {
  ports: Pick<RolePorts, 'clock' | 'log' | 'projection' | 'orgs'>;
  ownership: Pick<Ownership, 'all' | 'ofOrg'>;
  pendingTasks: Pick<PendingTasks, 'hold' | 'forget'>;
  matcher: Pick<Matcher, 'all'>;
  deliver: Pick<Deliver, 'deliver' | 'resume' | 'clear'>;
  redelivery: Pick<Redelivery, 'due'>;
};

export class DueDeliveries {
  readonly #options: DueOptions;
  /** Orgs that had a subscription at the last look. */
  #subscribed = new Set<string>();
  #stopping = false;

  constructor(options: DueOptions) {
    this.#options = options;
  }

  /** From now on nothing is sent. */
  stop(): void {
    this.#stopping = true;
  }

  /** Whether all of them could be claimed. */
  async send(due: Due[]): Promise<boolean> {
    if (due.length === 0 || this.#stopping) return true;
    const { deliveries } = await this.#options.deliver.deliver(due);
    if (deliveries) this.#options.ports.log.warn('deliveries not claimed, Redis is away: retrying after the lease');
    return !deliveries;
  }

  /** Writes the counts of new tasks, which the API waits for, and sends their deliveries. */
  async onAdded(oid: string, { tasks, isReload }: Added): Promise<void> {
    const { clock, projection } = this.#options.ports;
    const { due, counts } = await matchNewTasks(clock, this.#options.ownership.ofOrg(oid), tasks);
    const isAwaited = counts.length > 0 && !isReload;
    const written = isAwaited ? projection.writeCounts(counts).catch(() => undefined) : undefined;
    await Promise.all([written, this.#isSubscribed(oid) ? this.send(due) : undefined]);
  }

  /** Sends everything that is due in an org partition that has gone live, then confirms the dead batches of earlier owners. */
  async onLive(orgPartition: OrgPartition): Promise<void> {
    const { ports, pendingTasks, matcher, deliver } = this.#options;
    const { oid, partition, epoch, fencingToken } = orgPartition;
    const isSame = () => orgPartition.fencingToken === fencingToken && orgPartition.epoch === epoch;
    try {
      await pendingTasks.hold(oid, epoch);
      // What was remembered under an earlier token or epoch may be wrong. Claims find out what is settled, in flight or dead.
      pendingTasks.forget(orgPartition.sensors.values());
      const due = await matcher.all(orgPartition.sensors.values());
      if (!(await this.send(due))) throw new Error('not all deliveries could be claimed');
      // A process that is stopping has sent nothing: it leaves the dead batches to the next owner.
      if (!orgPartition.live || !isSame() || this.#stopping) return;
      await deliver.clear(oid, epoch, orgPartition.deadBatches.splice(0));
    } catch (error) {
      if (!isSame()) return; // it was taken over again meanwhile
      ports.log.warn({ err: error, oid, partition }, 'org partition could not go live: taking it over again');
      release(orgPartition);
    }
  }

  /** Call this often: resumes claim batches and sends redeliveries. */
  async tick(): Promise<void> {
    const { ports, deliver, redelivery } = this.#options;
    const budget = newCheckBudget();
    await deliver.resume(({ sensor, task }) => this.#isSubscribed(sensor.oid) && selectsWithin(task, sensor, budget));
    const slices = new Slices(() => ports.clock.delay(0));
    const maySend = ({ sensor, task }: Due) => this.#isSubscribed(sensor.oid) && selects(task, sensor);
    await this.send(await slices.filter(redelivery.due(ports.clock.monoMs(), REDELIVERIES_PER_TICK), maySend));
  }

  /** Matches sensors whose tags have expired, and all sensors of orgs that have a subscription again. */
  async matchAfterTimePassed(): Promise<void> {
    const { ports, ownership, matcher } = this.#options;
    const nowMs = ports.clock.nowMs();
    const affected = new Set<Sensor>();
    for (const orgPartition of ownership.all())
      for (const sensor of dropExpiredTags(orgPartition, nowMs)) affected.add(sensor);
    const subscribed = new Set(ports.orgs.table.oids().filter((oid) => this.#isSubscribed(oid)));
    for (const oid of subscribed) {
      if (this.#subscribed.has(oid)) continue;
      for (const orgPartition of ownership.ofOrg(oid))
        for (const sensor of orgPartition.sensors.values()) affected.add(sensor);
    }
    this.#subscribed = subscribed;
    await this.send(await matcher.all(affected));
  }

  #isSubscribed(oid: string): boolean {
    const { orgs, clock } = this.#options.ports;
    return orgs.table.subscribed(oid, clock.nowMs());
  }
}
