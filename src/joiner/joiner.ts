/**
 * The joiner: one consumer group on `sensor-presence` and `sensor-events`. It owns the sensors of its partitions and holds the
 * pending tasks of every org. Both are in memory, in one thread, so whichever comes second finds the first.
 *
 *   presence         → fold → match → deliver    presence.ts, presence-fold.ts, match.ts, delivery/deliver.ts
 *   new task         → match → deliver           due.ts
 *   redelivery due   → deliver                   due.ts, redelivery.ts
 *   receipt          → ack → TASK_DONE, TASK_FAILURE    acknowledge.ts, receipts.ts
 *
 * Every second, and whenever something may have changed, the joiner refreshes its view of orgs, epochs, tasks and org partitions,
 * and takes over what is missing. Redis decides about every claim: what memory knows only saves calls.
 */
import type { SensorState } from '../model/records.ts';
import type { Batch, Group, Handled, Role, RolePorts } from '../ports.ts';
import type { Why } from '../projector/projection.ts';
import { Acknowledge } from './acknowledge.ts';
import { Deliver } from './delivery/deliver.ts';
import { DueDeliveries } from './due.ts';
import { Matcher } from './match.ts';
import { OnlineCounter } from './online.ts';
import type { OrgPartition } from './org-partition.ts';
import type { Due } from './org-tasks.ts';
import { Ownership } from './ownership.ts';
import { PendingTasks } from './pending-tasks.ts';
import { onPresence, type PresenceOptions } from './presence.ts';
import { Redelivery } from './redelivery.ts';
import { takeRows, writeRows } from './rows.ts';

export const JOINER_GROUP = 'reliable-tasking-joiner';

const REFRESH_MS = 1_000;
const TICK_MS = 50;
const IDLE_ROWS_MS = 10_000;

export type JoinerPorts = Omit<RolePorts, 'settings'>;

export class Joiner implements Role {
  readonly ownership: Ownership;
  readonly acknowledge: Acknowledge;
  readonly #ports: JoinerPorts;
  readonly #deliver: Deliver;
  readonly #pendingTasks: PendingTasks;
  readonly #matcher: Matcher;
  readonly #due: DueDeliveries;
  readonly #online: OnlineCounter;
  readonly #presence: PresenceOptions;
  /** Orgs whose projection is usable, with their epochs. */
  #usable = new Map<string, string>();
  #group: Group | null = null;
  #stops: (() => void | Promise<void>)[] = [];
  #refreshSoon = (): void => undefined;
  #idleRowsAt = 0;
  #stopping = false;

  constructor(ports: JoinerPorts) {
    const { clock, orgs } = ports;
    this.#ports = ports;
    this.#online = new OnlineCounter(ports);
    this.#pendingTasks = new PendingTasks(ports, (oid, added) => void this.#due.onAdded(oid, added));
    this.#matcher = new Matcher({
      clock,
      pendingTasks: this.#pendingTasks,
      isSubscribed: (oid) => orgs.table.subscribed(oid, clock.nowMs()),
      send: (due) => this.#sendLater(due),
    });
    const redelivery = new Redelivery();
    const refused = (orgPartition: OrgPartition, why: Why) => this.refused(orgPartition, why);
    this.#deliver = new Deliver({
      ports,
      redelivery,
      onRefused: refused,
      onVersion: (oid, version) => {
        if (this.#pendingTasks.isBehind(oid, version)) this.#catchUp(oid);
      },
    });
    this.ownership = new Ownership({
      ports,
      groupId: ports.config.KAFKA_TOPIC_PREFIX + JOINER_GROUP,
      usable: () => this.#readUsable(),
      seek: (partition, offset) => this.#group?.seek('presence', partition, offset),
      confirmOwnership: (partition, offset) => (this.#group as Group).commit('presence', partition, offset),
      onLive: (orgPartition) => void this.#due.onLive(orgPartition),
      onGone: (sensors) => this.#pendingTasks.forget(sensors),
    });
    this.#due = new DueDeliveries({
      ports,
      ownership: this.ownership,
      pendingTasks: this.#pendingTasks,
      matcher: this.#matcher,
      deliver: this.#deliver,
      redelivery,
    });
    const commit = (batch: Batch) => this.#commit(batch);
    this.#presence = {
      ports,
      ownership: this.ownership,
      match: (sensors) => this.#matcher.withinBudget(sensors),
      deliver: (deliveries, rows) => this.#deliver.deliver(deliveries, rows),
      forget: (sensors) => this.#pendingTasks.forget(sensors),
      refused,
      commit,
    };
    this.acknowledge = new Acknowledge({
      ports,
      orgPartitionsOf: (partition) => this.ownership.in(partition),
      task: (oid, taskId) => this.#pendingTasks.task(oid, taskId),
      refused,
      commit,
    });
  }

  async start(): Promise<void> {
    const { inbox, config, clock, projection, orgs } = this.#ports;
    this.#group = await inbox.join({
      groupId: config.KAFKA_TOPIC_PREFIX + JOINER_GROUP,
      topics: ['presence', 'sensorEvents'],
      onAssigned: (partitions) => {
        this.acknowledge.repeats.reset();
        this.ownership.assign(partitions);
      },
      wanted: (topic, partition) => this.#wanted(topic === 'presence', partition),
      onBatch: (batch) => this.#onBatch(batch),
    });
    const refresher = clock.every(REFRESH_MS, () => this.#refresh());
    this.#refreshSoon = () => refresher.soon();
    const ticker = clock.every(TICK_MS, () => this.#due.tick());
    this.#stops = [
      () => refresher.stop(),
      () => ticker.stop(),
      projection.onHint((oid) => this.#catchUp(oid)),
      orgs.table.onChange(() => refresher.soon()),
    ];
  }

  ready(): { ready: boolean; detail: string } {
    const fault = this.#group?.fault();
    if (fault) return { ready: false, detail: fault };
    const joined = this.#group?.joined() === true;
    const ready =
      joined &&
      this.ownership.settled(this.#usable) &&
      this.#ports.orgs.table.oids().every((oid) => this.#usable.has(oid));
    const detail = !joined
      ? 'joining the group'
      : ready
        ? `partitions ${this.ownership.partitions.join(' ') || 'none'}`
        : 'taking over partitions';
    return { ready, detail };
  }

  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#due.stop();
    for (const stop of this.#stops) await stop();
    await this.#matcher.stop();
    await this.#writeIdleRows().catch(() => undefined);
    await this.#group?.stop();
    this.ownership.assign([]); // ends everything that waits for the group or for Redis
  }

  /** Redis does not accept this process as the owner of the org partition. */
  refused(orgPartition: OrgPartition, why: Why): void {
    if (orgPartition.fencingToken === null) return;
    const { oid, partition } = orgPartition;
    this.#ports.log.info({ oid, partition, why }, 'org partition refused by Redis: taking it over again');
    // After a loss of Redis every org partition is refused at once: one refresh serves them all.
    void this.ownership.refused(orgPartition, why).then(() => this.#refreshSoon());
  }

  #commit(batch: Batch): Promise<void> {
    return (this.#group as Group).commit(batch.topic, batch.partition, batch.nextOffset);
  }

  async #wanted(isPresence: boolean, partition: number): Promise<number | null> {
    await this.ownership.prepared(partition);
    if (isPresence) return this.ownership.next(partition) ?? null;
    await this.acknowledge.repeats.raiseToEnd(partition);
    return null;
  }

  async #onBatch(batch: Batch): Promise<Handled> {
    const { clock, metrics } = this.#ports;
    const started = clock.monoMs();
    const handled = await (batch.topic === 'presence'
      ? onPresence(this.#presence, batch)
      : this.acknowledge.handle(batch));
    metrics.batchLatency(`joiner ${batch.topic}`, clock.monoMs() - started);
    return handled;
  }

  async #sendLater(due: Due[]): Promise<void> {
    await this.#due.send(due).catch((error) => this.#ports.log.warn({ err: error }, 'deliveries not sent: retrying'));
  }

  async #readUsable(): Promise<Map<string, string>> {
    const oids = this.#ports.orgs.table.oids();
    const statuses = oids.length === 0 ? [] : await this.#ports.projection.status(oids);
    const usable = new Map<string, string>();
    for (const [i, oid] of oids.entries()) {
      const status = statuses[i];
      if (status?.usable) usable.set(oid, status.epoch);
    }
    this.#usable = usable;
    return usable;
  }

  async #refresh(): Promise<void> {
    try {
      const usable = await this.#readUsable();
      for (const orgPartition of this.ownership.all())
        if (!usable.has(orgPartition.oid) && orgPartition.live) orgPartition.live = false;
      await Promise.all([...usable].map(([oid, epoch]) => this.#pendingTasks.catchUp(oid, epoch)));
      await this.ownership.takeMissing(usable);
      for (const orgPartition of this.ownership.all()) this.ownership.checkLive(orgPartition.partition);
      await this.#due.matchAfterTimePassed();
      if (this.#ports.clock.monoMs() - this.#idleRowsAt >= IDLE_ROWS_MS) await this.#writeIdleRows();
      await this.#online.write(this.ownership.all());
      this.#ports.metrics.pendingTasks(this.#pendingTasks.size);
    } catch (error) {
      this.#ports.log.warn({ err: error }, 'joiner refresh failed: retrying');
    }
  }

  #catchUp(oid: string): void {
    const epoch = this.#usable.get(oid);
    if (epoch === undefined || this.#stopping) return;
    this.#pendingTasks
      .catchUp(oid, epoch)
      .catch((error) => this.#ports.log.debug({ err: error, oid }, 'task changes not read: retrying'));
  }

  /** Stores the presence offset of org partitions without traffic, so that the next owner does not read everything again. */
  async #writeIdleRows(): Promise<void> {
    this.#idleRowsAt = this.#ports.clock.monoMs();
    const encode = (state: SensorState) => this.#ports.recordCodec.encode('SensorState', state);
    const held = [...this.ownership.all()].filter((orgPartition) => orgPartition.live);
    for (const orgPartition of held) {
      const why = await writeRows(this.#ports.projection, orgPartition, takeRows(orgPartition, encode));
      if (why !== null && why !== 'away') this.refused(orgPartition, why);
    }
  }
}

export async function startJoiner(ports: JoinerPorts): Promise<Role> {
  const joiner = new Joiner(ports);
  try {
    await joiner.start();
    return joiner;
  } catch (error) {
    await joiner.stop();
    throw error;
  }
}
