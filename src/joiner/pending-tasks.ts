/**
 * The pending tasks of all orgs in memory, each org at the version that Redis has.
 *
 * A new task is in memory before `onAdded` gets it, in the same synchronous step. So a sensor that connects and a task that is
 * added at the same time cannot miss each other: the one that comes second finds the first.
 */
import { pagesOf } from '../async/pages.ts';
import type { RolePorts } from '../ports.ts';
import type { TaskChange } from '../projector/projection.ts';
import { Slices } from '../selector/slices.ts';
import type { Sensor } from './org-partition.ts';
import { type Due, type MatchLimit, OrgTasks, type Task } from './org-tasks.ts';

const PAGE = 200;

/** `isReload`: the tasks were read again as a whole; nobody waits for their counts. */
export type Added = { tasks: Task[]; isReload: boolean };

type Ports = Pick<RolePorts, 'projection' | 'clock'>;

export class PendingTasks {
  readonly #byOrg = new Map<string, OrgFollower>();
  readonly #ports: Ports;
  readonly #onAdded: (oid: string, added: Added) => void;

  constructor(ports: Ports, onAdded: (oid: string, added: Added) => void) {
    this.#ports = ports;
    this.#onAdded = onAdded;
  }

  task(oid: string, taskId: string): Task | undefined {
    return this.#byOrg.get(oid)?.tasks.get(taskId);
  }

  /** Number of tasks of all orgs. */
  get size(): number {
    return [...this.#byOrg.values()].reduce((sum, { tasks }) => sum + tasks.size, 0);
  }

  /** Adds the deliveries of the sensor to `due`, within the work budget. */
  match(sensor: Sensor, due: Due[], limit?: MatchLimit): void {
    for (const task of this.#byOrg.get(sensor.oid)?.tasks.match(sensor, limit) ?? []) due.push({ sensor, task });
  }

  /** All deliveries of the sensor. */
  async matchInSlices(sensor: Sensor, slices: Slices): Promise<Due[]> {
    const tasks = (await this.#byOrg.get(sensor.oid)?.tasks.matchInSlices(sensor, slices)) ?? [];
    return tasks.map((task) => ({ sensor, task }));
  }

  /** Redis has a later version of the org than this process. */
  isBehind(oid: string, version: number): boolean {
    return version > (this.#byOrg.get(oid)?.tasks.version ?? version);
  }

  /** Resolves when this process holds the tasks of the org as Redis has them in this epoch. Rejects if they cannot be read, or if
   *  Redis has lost the epoch meanwhile. */
  async hold(oid: string, epoch: string): Promise<void> {
    await this.catchUp(oid, epoch);
    if (this.#follower(oid).tasks.epoch !== epoch) throw new Error('Redis has another epoch of the tasks');
  }

  catchUp(oid: string, epoch: string): Promise<void> {
    return this.#follower(oid).catchUp(epoch);
  }

  /** Forgets the next claims of sensors that this process no longer holds. */
  forget(sensors: Iterable<Sensor>): void {
    for (const [oid, ofOrg] of Map.groupBy(sensors, (sensor) => sensor.oid))
      this.#byOrg.get(oid)?.tasks.forget(new Set(ofOrg));
  }

  #follower(oid: string): OrgFollower {
    const known = this.#byOrg.get(oid);
    if (known) return known;
    const follower = new OrgFollower(oid, this.#ports, (added) => this.#onAdded(oid, added));
    this.#byOrg.set(oid, follower);
    return follower;
  }
}

/** Follows the task changes of one org in Redis. */
export class OrgFollower {
  readonly tasks = new OrgTasks();
  readonly #oid: string;
  readonly #ports: Ports;
  readonly #onAdded: (added: Added) => void;
  #running: Promise<void> | null = null;
  #again = false;

  constructor(oid: string, ports: Ports, onAdded: (added: Added) => void) {
    this.#oid = oid;
    this.#ports = ports;
    this.#onAdded = onAdded;
  }

  /** Reads the changes since the last version. A call during a run makes the run read once more. Rejects if Redis does not
   *  answer. */
  catchUp(epoch: string): Promise<void> {
    if (this.#running) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#run(epoch).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #run(epoch: string): Promise<void> {
    do {
      this.#again = false;
      await this.#step(epoch);
    } while (this.#again);
  }

  async #step(epoch: string): Promise<void> {
    const { projection } = this.#ports;
    const known = this.tasks.epoch === epoch ? this.tasks.version : -1;
    const answer = await projection.changes(this.#oid, epoch, known);
    if (!answer.ok) return;
    if (answer.changes === 'reload' || known < 0) await this.#reload();
    else await this.#apply(answer.changes);
    this.tasks.epoch = epoch;
    // A reload reads after the version was taken. The changes between are applied again, which has no effect.
    this.tasks.version = answer.version;
    if (answer.changes === 'reload' || known < 0) this.#again = true;
  }

  async #apply(changes: TaskChange[]): Promise<void> {
    for (const { kind, taskId } of changes) if (kind === 'removed') this.tasks.remove(taskId);
    // The last change of a task counts: an id can be used again after its retention.
    const last = new Map(changes.map(({ kind, taskId }) => [taskId, kind]));
    const added = [...last].flatMap(([taskId, kind]) => (kind === 'added' ? [taskId] : []));
    await this.#add(added, false);
  }

  async #reload(): Promise<void> {
    const { projection } = this.#ports;
    const ended = new Set([...this.tasks.values()].map(({ taskId }) => taskId));
    for await (const { ids } of pagesOf((cursor) => projection.pendingIds(this.#oid, PAGE, cursor))) {
      for (const taskId of ids) ended.delete(taskId);
      await this.#add(ids, true);
    }
    for (const taskId of ended) this.tasks.remove(taskId);
  }

  async #add(taskIds: string[], isReload: boolean): Promise<void> {
    const slices = new Slices(() => this.#ports.clock.delay(0));
    for (let i = 0; i < taskIds.length; i += PAGE) {
      const records = await this.#ports.projection.readTasks(this.#oid, taskIds.slice(i, i + PAGE));
      let added: Task[] = [];
      for (const record of records) {
        if (slices.isOver) {
          if (added.length > 0) this.#onAdded({ tasks: added, isReload });
          added = [];
          await slices.pause(); // compiling regular expressions takes long
        }
        if (record?.state !== 'pending' || this.tasks.get(record.taskId)) continue;
        added.push(this.tasks.add(record, this.#ports.clock.nowMs()));
      }
      if (added.length > 0) this.#onAdded({ tasks: added, isReload });
    }
  }
}
