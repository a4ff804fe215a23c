/**
 * Keeps the tasks of one org in memory at the version that Redis has. Whatever was added is given to `onAdded` in the same
 * step in which it is put into memory, so that a sensor that connects and a task that is added can't miss each other.
 */
import { pagesOf } from '../async/pages.ts';
import type { RolePorts } from '../ports.ts';
import type { TaskChange } from '../projector/projection.ts';
import { Slices } from '../selector/index.ts';
import { OrgTasks, type Task } from './pending-tasks.ts';

const PAGE = 200;

export type Added = { tasks: Task[] /** Part of a reload: nobody waits for counts. */; reload: boolean };

export class Follower {
  readonly tasks = new OrgTasks();
  readonly #oid: string;
  readonly #ports: Pick<RolePorts, 'projection' | 'clock' | 'log'>;
  readonly #onAdded: (added: Added) => void;
  #running: Promise<void> | null = null;
  #again = false;

  constructor(oid: string, ports: Pick<RolePorts, 'projection' | 'clock' | 'log'>, onAdded: (added: Added) => void) {
    this.#oid = oid;
    this.#ports = ports;
    this.#onAdded = onAdded;
  }

  /** Catches up; calls while it runs make it look once more. Rejects when Redis can't answer. */
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
    // A reload reads later than the version was taken: what changed in between comes again, which changes nothing.
    this.tasks.version = answer.version;
    if (answer.changes === 'reload' || known < 0) this.#again = true;
  }

  async #apply(changes: TaskChange[]): Promise<void> {
    for (const { kind, taskId } of changes) if (kind === 'removed') this.tasks.remove(taskId);
    // The last change of a task counts: an id can be used anew once its retention is over.
    const last = new Map(changes.map(({ kind, taskId }) => [taskId, kind]));
    const added = [...last].flatMap(([taskId, kind]) => (kind === 'added' ? [taskId] : []));
    await this.#add(added, false);
  }

  async #reload(): Promise<void> {
    const gone = new Set([...this.tasks.values()].map(({ taskId }) => taskId));
    const { projection } = this.#ports;
    for await (const page of pagesOf((cursor) => projection.pendingIds(this.#oid, PAGE, cursor))) {
      for (const taskId of page.ids) gone.delete(taskId);
      await this.#add(page.ids, true);
    }
    for (const taskId of gone) this.tasks.remove(taskId);
  }

  async #add(taskIds: string[], reload: boolean): Promise<void> {
    const slices = new Slices(() => this.#ports.clock.delay(0));
    for (let i = 0; i < taskIds.length; i += PAGE) {
      const records = await this.#ports.projection.readTasks(this.#oid, taskIds.slice(i, i + PAGE));
      let added: Task[] = [];
      for (const record of records) {
        if (slices.isOver) {
          if (added.length > 0) this.#onAdded({ tasks: added, reload });
          added = [];
          await slices.pause(); // regular expressions are compiled
        }
        if (record?.state !== 'pending' || this.tasks.get(record.taskId)) continue;
        added.push(this.tasks.add(record, this.#ports.clock.nowMs()));
      }
      if (added.length > 0) this.#onAdded({ tasks: added, reload });
    }
  }
}
