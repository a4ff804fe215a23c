/**
 * The presence partitions that the group has assigned to this process, their org partitions, and the offset from which each
 * partition is read: the smallest that one of its org partitions needs. An org partition that is taken over later and needs
 * older records moves its partition back.
 *
 * The group alone decides who owns a partition. If Redis has fenced an org partition off, the process asks the group whether it
 * still owns the partition, and only then takes the org partition over again.
 */
import { persist } from '../async/clock.ts';
import { sharedBy, sharedRuns } from '../async/shared-runs.ts';
import type { RolePorts } from '../ports.ts';
import { newOrgPartition, type OrgPartition, release, type Sensor } from './org-partition.ts';
import { StateReader, takeOrgPartition } from './takeover.ts';

type Partition = {
  number: number;
  orgPartitions: Map<string, OrgPartition>;
  taking: Map<string, Promise<void>>;
  /** Next presence offset to read. */
  next: number;
  /** Effects below this offset are written already: dead letters are written from here on, and the offset is committed above it. */
  effectsFrom: number;
  prepared: Promise<void>;
  ready: boolean;
  /** An org partition was fenced off, and the group has not confirmed the partition yet. */
  confirming: Promise<void> | null;
};

type Ports = Pick<RolePorts, 'clock' | 'config' | 'inbox' | 'log' | 'orgs' | 'projection' | 'recordCodec'>;

export type OwnershipOptions = {
  ports: Ports;
  groupId: string;
  /** Orgs whose projection is usable now, with their epochs. */
  usable(): Promise<Map<string, string>>;
  seek(partition: number, offset: number): void;
  /** Resolves if the group confirms that this process owns the partition. Rejects otherwise. */
  confirmOwnership(partition: number, offset: number): Promise<void>;
  onLive(orgPartition: OrgPartition): void;
  /** These sensors are no longer held. */
  onGone(sensors: Iterable<Sensor>): void;
};

export class Ownership {
  readonly #partitions = new Map<number, Partition>();
  readonly #options: OwnershipOptions;
  readonly #states: StateReader;
  /** The ports of the role; org partitions that are taken over at the same time ask Kafka once. */
  readonly #ports: Ports;

  constructor(options: OwnershipOptions) {
    this.#options = options;
    this.#states = new StateReader(options.ports);
    const { inbox } = options.ports;
    const presenceEnds = sharedRuns(() => inbox.ends('presence'));
    const presenceSince = sharedBy((atMs: number) => inbox.since('presence', atMs));
    this.#ports = {
      ...options.ports,
      inbox: { ...inbox, ends: presenceEnds, since: (_, atMs) => presenceSince(atMs) },
    };
  }

  get partitions(): number[] {
    return [...this.#partitions.keys()];
  }

  *all(): IterableIterator<OrgPartition> {
    for (const { orgPartitions } of this.#partitions.values()) yield* orgPartitions.values();
  }

  *ofOrg(oid: string): IterableIterator<OrgPartition> {
    for (const { orgPartitions } of this.#partitions.values()) {
      const orgPartition = orgPartitions.get(oid);
      if (orgPartition) yield orgPartition;
    }
  }

  in(partition: number): Map<string, OrgPartition> {
    return this.#partitions.get(partition)?.orgPartitions ?? new Map();
  }

  next(partition: number): number | undefined {
    return this.#partitions.get(partition)?.next;
  }

  effectsFrom(partition: number): number {
    return this.#partitions.get(partition)?.effectsFrom ?? 0;
  }

  /** All partitions are prepared, and every org partition of a usable org is live. */
  settled(usable: Map<string, string>): boolean {
    return [...this.#partitions.values()].every(
      ({ ready, orgPartitions }) =>
        ready &&
        [...usable].every(
          ([oid, epoch]) => orgPartitions.get(oid)?.live === true && orgPartitions.get(oid)?.epoch === epoch,
        ),
    );
  }

  /** The group has assigned these partitions. The others are dropped at once, with everything in flight for them. */
  assign(numbers: number[]): void {
    for (const [number, partition] of this.#partitions) {
      if (numbers.includes(number)) continue;
      this.#drop(partition);
    }
    for (const number of numbers) {
      if (this.#partitions.has(number)) continue;
      const partition: Partition = {
        number,
        orgPartitions: new Map(),
        taking: new Map(),
        next: 0,
        effectsFrom: 0,
        prepared: Promise.resolve(),
        ready: false,
        confirming: null,
      };
      this.#partitions.set(number, partition);
      partition.prepared = this.#prepare(partition);
    }
  }

  async prepared(partition: number): Promise<void> {
    await this.#partitions.get(partition)?.prepared;
  }

  async #prepare(partition: Partition): Promise<void> {
    const { ports, groupId } = this.#options;
    const isAssigned = () => this.#partitions.get(partition.number) === partition;
    await persist(
      ports.clock,
      isAssigned,
      async () => {
        const [committed, ends] = await Promise.all([
          ports.inbox.committed(groupId, 'presence'),
          ports.inbox.ends('presence'),
        ]);
        const low = ends.get(partition.number)?.low ?? 0;
        partition.effectsFrom = committed.get(partition.number) ?? low;
        partition.next = partition.effectsFrom;
        const usable = await this.#options.usable();
        await Promise.all([...usable].map(([oid, epoch]) => this.take(partition.number, oid, epoch)));
      },
      (error) => ports.log.warn({ err: error, partition: partition.number }, 'partition takeover failed: retrying'),
    );
    partition.ready = true;
  }

  /** Takes over the org partitions of usable orgs that have no fencing token, or one of an earlier epoch. */
  async takeMissing(usable: Map<string, string>): Promise<void> {
    const missing: Promise<void>[] = [];
    for (const { number, orgPartitions, ready, confirming } of this.#partitions.values()) {
      if (!ready || confirming) continue;
      for (const [oid, epoch] of usable) {
        const orgPartition = orgPartitions.get(oid);
        if (!orgPartition || orgPartition.fencingToken === null || orgPartition.epoch !== epoch)
          missing.push(this.take(number, oid, epoch));
      }
    }
    await Promise.all(missing);
  }

  take(number: number, oid: string, epoch: string): Promise<void> {
    const partition = this.#partitions.get(number);
    if (!partition) return Promise.resolve();
    const running =
      partition.taking.get(oid) ?? this.#take(partition, oid, epoch).finally(() => partition.taking.delete(oid));
    partition.taking.set(oid, running);
    return running;
  }

  async #take(partition: Partition, oid: string, epoch: string): Promise<void> {
    const orgPartition = partition.orgPartitions.get(oid) ?? newOrgPartition(oid, partition.number);
    // Records of this org are skipped meanwhile: the partition is read again from the offset of the org partition.
    partition.orgPartitions.delete(oid);
    const taken = await takeOrgPartition(this.#ports, orgPartition, epoch, this.#states, this.#options.onGone).catch(
      (error) => {
        this.#options.ports.log.warn(
          { err: error, oid, partition: partition.number },
          'org partition takeover failed: retrying',
        );
        return false;
      },
    );
    if (this.#partitions.get(partition.number) !== partition) {
      release(orgPartition);
      this.#options.onGone(orgPartition.sensors.values());
      return;
    }
    if (!taken) release(orgPartition);
    partition.orgPartitions.set(oid, orgPartition);
    if (orgPartition.loaded && orgPartition.nextOffset < partition.next) {
      partition.next = orgPartition.nextOffset;
      this.#options.seek(partition.number, orgPartition.nextOffset);
    }
    if (taken) this.#checkLive(orgPartition);
  }

  /** Presence of the partition has been folded in up to `nextOffset`. */
  advance(partition: number, nextOffset: number): void {
    const entry = this.#partitions.get(partition);
    if (!entry) return;
    entry.next = nextOffset;
    for (const orgPartition of entry.orgPartitions.values())
      if (orgPartition.loaded) orgPartition.nextOffset = Math.max(orgPartition.nextOffset, nextOffset);
  }

  /** A batch was given up after the fold: its org partitions are taken over again, and the partition is read again. Returns false. */
  abandon(partition: number, from: number, touched: Iterable<OrgPartition>): false {
    const entry = this.#partitions.get(partition);
    for (const orgPartition of touched) {
      release(orgPartition);
      orgPartition.loaded = false;
    }
    if (entry) entry.next = Math.min(entry.next, from);
    return false;
  }

  committed(partition: number, nextOffset: number): void {
    const entry = this.#partitions.get(partition);
    if (entry) entry.effectsFrom = Math.max(entry.effectsFrom, nextOffset);
  }

  /** Sets the org partitions live that have read enough. Call it after Redis has the rows of what was read. */
  checkLive(partition: number): void {
    for (const orgPartition of this.in(partition).values()) this.#checkLive(orgPartition);
  }

  #checkLive(orgPartition: OrgPartition): void {
    if (orgPartition.live || orgPartition.fencingToken === null || orgPartition.nextOffset < orgPartition.liveAt)
      return;
    orgPartition.live = true;
    this.#options.onLive(orgPartition);
  }

  /** Redis has refused the org partition. After `fenced` it can be taken over again only when the group confirms the partition. */
  async refused(orgPartition: OrgPartition, why: string): Promise<void> {
    release(orgPartition);
    if (why !== 'fenced') return;
    const entry = this.#partitions.get(orgPartition.partition);
    if (!entry || entry.orgPartitions.get(orgPartition.oid) !== orgPartition) return;
    entry.confirming ??= this.#confirm(entry).finally(() => {
      entry.confirming = null;
    });
    await entry.confirming;
  }

  /** Asks until the group confirms the partition, or until `assign` drops it. Nothing else may drop it: if this process dropped it
   *  because Kafka is away, the partition would have no owner. */
  async #confirm(entry: Partition): Promise<void> {
    const { ports, groupId, confirmOwnership } = this.#options;
    await persist(
      ports.clock,
      () => this.#partitions.get(entry.number) === entry,
      async () => {
        // If this process was suspended, another one may have owned the partition and committed a higher offset: it must not go back.
        const committed = (await ports.inbox.committed(groupId, 'presence')).get(entry.number) ?? 0;
        this.committed(entry.number, committed);
        await confirmOwnership(entry.number, entry.effectsFrom);
      },
      (error) => ports.log.info({ err: error, partition: entry.number }, 'partition owner not confirmed yet: retrying'),
    );
  }

  #drop(partition: Partition): void {
    this.#partitions.delete(partition.number);
    for (const orgPartition of partition.orgPartitions.values()) {
      release(orgPartition);
      this.#options.onGone(orgPartition.sensors.values());
    }
  }
}
