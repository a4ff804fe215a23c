/**
 * The joiner: consumer group on `sensor-presence` and `sensor-events`. It owns the sensors of its partitions and holds the
 * pending tasks of every org, both in memory, in one thread: whichever side comes second finds the first.
 *
 *   presence -> fold -> match -> deliver        (deliver.ts)
 *   new task -> match sensors online -> deliver
 *   redelivery due -> deliver
 *   receipt -> ack -> TASK_DONE / TASK_FAILURE  (receipts.ts)
 */
import type { Batch, Group, Handled, Role, RolePorts } from '../ports.ts';
import type { Why } from '../projector/projection.ts';
import { Slices } from '../selector/index.ts';
import { onSensorEvents } from './acknowledge.ts';
import type { Due } from './delivery/claim-batch.ts';
import { Deliver } from './delivery/deliver.ts';
import type { Added } from './follow.ts';
import { Followers } from './followers.ts';
import type { Joining } from './joining.ts';
import { Matching } from './match.ts';
import { matchNewTask } from './match-new-tasks.ts';
import { OnlineCounter } from './online.ts';
import { type OrgPartition, type Sensor, takeRows, writeRows } from './org-partition.ts';
import { Ownership } from './ownership.ts';
import { newCheckBudget, selects, selectsWithin } from './pending-tasks.ts';
import { onPresence } from './presence.ts';
import { dropExpiredTags } from './presence-fold.ts';
import { RedeliverySchedule } from './redelivery-schedule.ts';
import { Repeats } from './repeats.ts';

export const JOINER_GROUP = 'reliable-tasking-joiner';

const LOOK_MS = 1_000;
const TICK_MS = 50;
const TICK_LIMIT = 4_000;
const IDLE_ROWS_MS = 10_000;

export class Joiner implements Role, Joining {
  readonly ports: RolePorts;
  readonly ownership: Ownership;
  readonly deliver: Deliver;
  readonly followers: Followers;
  readonly repeats: Repeats;
  readonly tries = new Map<number, number>();
  readonly #schedule = new RedeliverySchedule();
  readonly #matching: Matching;
  #usable = new Map<string, string>();
  #subscribed = new Set<string>();
  #group: Group | null = null;
  #stops: (() => void | Promise<void>)[] = [];
  #lookSoon = (): void => undefined;
  #idleRowsAt = 0;
  readonly #online: OnlineCounter;
  #stopping = false;

  constructor(ports: RolePorts) {
    this.ports = ports;
    this.followers = new Followers(ports, (oid, added) => void this.#onAdded(oid, added));
    this.#matching = new Matching({
      clock: ports.clock,
      followers: this.followers,
      isSubscribed: (oid) => this.#isSubscribed(oid),
      send: (due) => this.#sendLater(due),
    });
    this.repeats = new Repeats(ports.inbox);
    this.#online = new OnlineCounter(ports);
    const groupId = ports.config.KAFKA_TOPIC_PREFIX + JOINER_GROUP;
    this.ownership = new Ownership({
      ports,
      groupId,
      usable: () => this.#readUsable(),
      seek: (partition, offset) => this.#group?.seek('presence', partition, offset),
      confirmOwnership: (partition, offset) => (this.#group as Group).commit('presence', partition, offset),
      onLive: (orgPartition) => void this.#goLive(orgPartition),
      onGone: (sensors) => this.followers.forget(sensors),
    });
    this.deliver = new Deliver({
      ports,
      schedule: this.#schedule,
      onRefused: (orgPartition, why) => this.refused(orgPartition, why),
      onVersion: (oid, version) => {
        if (this.followers.isBehind(oid, version)) this.#catchUp(oid);
      },
    });
  }

  async start(): Promise<void> {
    const { inbox, config, clock, projection, orgs } = this.ports;
    this.#group = await inbox.join({
      groupId: config.KAFKA_TOPIC_PREFIX + JOINER_GROUP,
      topics: ['presence', 'sensorEvents'],
      onAssigned: (partitions) => {
        this.repeats.forget();
        this.ownership.assign(partitions);
      },
      wanted: (topic, partition) => this.#wanted(topic === 'presence', partition),
      onBatch: (batch) => this.#onBatch(batch),
    });
    const looker = clock.every(LOOK_MS, () => this.#look());
    this.#lookSoon = () => looker.soon();
    const ticker = clock.every(TICK_MS, () => this.#tick());
    this.#stops = [
      () => looker.stop(),
      () => ticker.stop(),
      projection.onHint((oid) => this.#catchUp(oid)),
      orgs.table.onChange(() => looker.soon()),
    ];
  }

  ready(): { ready: boolean; detail: string } {
    const fault = this.#group?.fault();
    if (fault) return { ready: false, detail: fault };
    const joined = this.#group?.joined() === true;
    const ready =
      joined &&
      this.ownership.settled(this.#usable) &&
      this.ports.orgs.table.oids().every((oid) => this.#usable.has(oid));
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
    for (const stop of this.#stops) await stop();
    await this.#matching.stop();
    await this.#writeIdleRows().catch(() => undefined);
    await this.#group?.stop();
    this.ownership.assign([]); // ends what waits for the group or for Redis on their behalf
  }

  match(sensors: Iterable<Sensor>): Due[] {
    return this.#matching.match(sensors);
  }

  /** Sends pairs that are due for a reason of our own; what fails comes again by its timer. */
  async send(due: Due[]): Promise<boolean> {
    if (due.length === 0 || this.#stopping) return true;
    const { deliveries } = await this.deliver.deliver(due);
    if (deliveries) this.ports.log.warn('not all pairs could be claimed; they come again');
    return !deliveries;
  }

  async #sendLater(due: Due[]): Promise<void> {
    await this.send(due).catch((error) => this.ports.log.warn({ err: error }, 'cannot send deliveries now'));
  }

  refused(orgPartition: OrgPartition, why: Why): void {
    if (orgPartition.fencingToken === null) return;
    this.ports.log.info({ oid: orgPartition.oid, partition: orgPartition.partition, why }, 'a seat was refused');
    // A loss of Redis refuses every seat at once: one look serves them all.
    void this.ownership.refused(orgPartition, why).then(() => this.#lookSoon());
  }

  commit(batch: Batch): Promise<void> {
    return (this.#group as Group).commit(batch.topic, batch.partition, batch.nextOffset);
  }

  async #wanted(presence: boolean, partition: number): Promise<number | null> {
    await this.ownership.prepared(partition);
    if (presence) return this.ownership.next(partition) ?? null;
    await this.repeats.toEnd(partition);
    return null;
  }

  async #onBatch(batch: Batch): Promise<Handled> {
    const { clock, metrics } = this.ports;
    const started = clock.monoMs();
    const handled = await (batch.topic === 'presence' ? onPresence(this, batch) : onSensorEvents(this, batch));
    metrics.batchLatency(`joiner ${batch.topic}`, clock.monoMs() - started);
    return handled;
  }

  async #readUsable(): Promise<Map<string, string>> {
    const oids = this.ports.orgs.table.oids();
    const statuses = oids.length === 0 ? [] : await this.ports.projection.status(oids);
    const usable = new Map<string, string>();
    for (const [i, oid] of oids.entries()) {
      const status = statuses[i];
      if (status?.usable) usable.set(oid, status.epoch);
    }
    this.#usable = usable;
    return usable;
  }

  /** Each second, and whenever something may have changed: are all orgs, epochs, tasks and seats as they should be? */
  async #look(): Promise<void> {
    try {
      const usable = await this.#readUsable();
      for (const orgPartition of this.ownership.all())
        if (!usable.has(orgPartition.oid) && orgPartition.live) orgPartition.live = false;
      await Promise.all([...usable].map(([oid, epoch]) => this.followers.catchUp(oid, epoch)));
      await this.ownership.takeMissing(usable);
      for (const orgPartition of this.ownership.all()) this.ownership.checkLive(orgPartition.partition);
      await this.#afterChangesOfTime();
      if (this.ports.clock.monoMs() - this.#idleRowsAt >= IDLE_ROWS_MS) await this.#writeIdleRows();
      await this.#online.write(this.ownership.all());
      this.ports.metrics.pendingTasks(this.followers.size);
    } catch (error) {
      this.ports.log.warn({ err: error }, 'the projection cannot be looked at');
    }
  }

  #catchUp(oid: string): void {
    const epoch = this.#usable.get(oid);
    if (epoch === undefined || this.#stopping) return;
    this.followers
      .catchUp(oid, epoch)
      .catch((error) => this.ports.log.debug({ err: error, oid }, 'tasks cannot be followed yet'));
  }

  /** New tasks meet the sensors: the counts that the API waits for, then what is due. */
  async #onAdded(oid: string, { tasks, reload }: Added): Promise<void> {
    const { due, counts } = await matchNewTask(this.ports.clock, this.ownership.ofOrg(oid), tasks);
    const isAsked = counts.length > 0 && !reload;
    const counted = isAsked ? this.ports.projection.writeCounts(counts).catch(() => undefined) : undefined;
    await Promise.all([counted, this.#isSubscribed(oid) ? this.send(due) : undefined]);
  }

  async #goLive(orgPartition: OrgPartition): Promise<void> {
    const { epoch, fencingToken } = orgPartition;
    const isSame = () => orgPartition.fencingToken === fencingToken && orgPartition.epoch === epoch;
    try {
      await this.followers.hold(orgPartition.oid, epoch);
      // What was remembered under an earlier token or epoch says nothing: claims sort out what is settled, waiting or dead.
      this.followers.forget(orgPartition.sensors.values());
      const due = await this.#matching.all(orgPartition.sensors.values());
      if (!(await this.send(due))) throw new Error('not all pairs could be claimed');
      // A process that stops has sent nothing: what is dead is for the next owner.
      if (!orgPartition.live || !isSame() || this.#stopping) return;
      await this.deliver.clear(orgPartition.oid, epoch, orgPartition.deadBatches.splice(0));
    } catch (error) {
      if (!isSame()) return; // taken anew meanwhile
      this.ports.log.warn({ err: error, oid: orgPartition.oid }, 'a seat is taken again');
      orgPartition.live = false;
      orgPartition.fencingToken = null;
    }
  }

  #isSubscribed(oid: string): boolean {
    return this.ports.orgs.table.subscribed(oid, this.ports.clock.nowMs());
  }

  async #tick(): Promise<void> {
    const budget = newCheckBudget();
    await this.deliver.resume(
      ({ sensor, task }) => this.#isSubscribed(sensor.oid) && selectsWithin(task, sensor, budget),
    );
    const slices = new Slices(() => this.ports.clock.delay(0));
    const mayGo = ({ sensor, task }: Due) => this.#isSubscribed(sensor.oid) && selects(task, sensor);
    await this.send(await slices.filter(this.#schedule.due(this.ports.clock.monoMs(), TICK_LIMIT), mayGo));
  }

  /** Tags that ran out, and orgs that subscribed again, make sensors match what they did not. */
  async #afterChangesOfTime(): Promise<void> {
    const nowMs = this.ports.clock.nowMs();
    const affected = new Set<Sensor>();
    for (const orgPartition of this.ownership.all())
      for (const sensor of dropExpiredTags(orgPartition, nowMs)) affected.add(sensor);
    const subscribed = new Set(this.ports.orgs.table.oids().filter((oid) => this.#isSubscribed(oid)));
    for (const oid of subscribed) {
      if (this.#subscribed.has(oid)) continue;
      for (const orgPartition of this.ownership.ofOrg(oid))
        for (const sensor of orgPartition.sensors.values()) affected.add(sensor);
    }
    this.#subscribed = subscribed;
    await this.send(await this.#matching.all(affected));
  }

  /** Seats without traffic tell Redis how far they have read, so that a next owner does not read it all again. */
  async #writeIdleRows(): Promise<void> {
    this.#idleRowsAt = this.ports.clock.monoMs();
    const encode = (state: Parameters<Parameters<typeof takeRows>[1]>[0]) =>
      this.ports.recordCodec.encode('SensorState', state);
    const held = [...this.ownership.all()].filter((orgPartition) => orgPartition.live);
    for (const orgPartition of held) {
      const why = await writeRows(this.ports.projection, orgPartition, takeRows(orgPartition, encode));
      if (why !== null && why !== 'away') this.refused(orgPartition, why);
    }
  }
}

export async function startJoiner(ports: RolePorts): Promise<Role> {
  const joiner = new Joiner(ports);
  try {
    await joiner.start();
    return joiner;
  } catch (error) {
    await joiner.stop();
    throw error;
  }
}
