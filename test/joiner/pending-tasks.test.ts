import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/async/clock.ts';
import { OrgFollower } from '../../src/joiner/pending-tasks.ts';
import type { TaskRecord } from '../../src/model/task.ts';
import type { RolePorts } from '../../src/ports.ts';
import type { Answer, Projection, TaskChange } from '../../src/projector/projection.ts';

type Changes = Answer<{ version: number; changes: TaskChange[] | 'reload' }>;

/** The projection of one org; the test sets its pending tasks and its answers. */
class World {
  pending = new Map<string, number>();
  answers: Changes[] = [];
  asked: number[] = [];
  added: { ids: string[]; isReload: boolean }[] = [];
  readonly follower: OrgFollower;

  constructor() {
    const projection = {
      changes: async (_oid: string, _epoch: string, version: number): Promise<Changes> => {
        this.asked.push(version);
        return this.answers.shift() ?? { ok: true, version, changes: [] };
      },
      pendingIds: async (_oid: string, limit: number, after: string | null) => {
        const ids = [...this.pending.keys()].filter((id) => after === null || id > after).toSorted();
        const page = ids.slice(0, limit);
        return { ids: page, next: ids.length > limit ? (page.at(-1) as string) : null };
      },
      readTasks: async (_oid: string, ids: string[]) => ids.map((id) => this.#record(id)),
    } as Partial<Projection> as Projection;
    const ports = { projection, clock: systemClock } as RolePorts;
    this.follower = new OrgFollower('o', ports, ({ tasks, isReload }) =>
      this.added.push({ ids: tasks.map(({ taskId }) => taskId), isReload }),
    );
  }

  #record(taskId: string): TaskRecord | null {
    const expiresAtMs = this.pending.get(taskId);
    if (expiresAtMs === undefined) return null;
    const command = { task_id: taskId, task: 'x', selector: null, context: null, options: null };
    return { taskId, state: 'pending', expiresAtMs, command } as TaskRecord;
  }

  get held(): string[] {
    return [...this.follower.tasks.values()].map(({ taskId }) => taskId).toSorted();
  }

  async say(version: number, ...changes: string[]): Promise<void> {
    const read = changes.map(
      (text): TaskChange => ({ kind: text[0] === '+' ? 'added' : 'removed', taskId: text.slice(1) }),
    );
    this.answers.push({ ok: true, version, changes: read });
    await this.follower.catchUp('e');
  }

  async begin(...ids: string[]): Promise<void> {
    for (const id of ids) this.pending.set(id, 1);
    this.answers.push({ ok: true, version: 10, changes: 'reload' });
    await this.follower.catchUp('e');
  }
}

describe('the pending tasks of an org', () => {
  it('are all read first, page by page, then the changes since', async () => {
    const world = new World();
    const ids = Array.from({ length: 450 }, (_, i) => `t${String(i).padStart(3, '0')}`);
    await world.begin(...ids);
    expect(world.held).toEqual(ids);
    expect(world.asked).toEqual([-1, 10]);
    expect(world.added.every(({ isReload }) => isReload)).toBe(true);
  });

  it('follow the changes in Redis, and each added task is reported once', async () => {
    const world = new World();
    await world.begin('a');
    world.pending.set('b', 1);
    await world.say(12, '+b', '-a');
    expect(world.held).toEqual(['b']);
    await world.say(13, '+b');
    expect(world.added).toEqual([
      { ids: ['a'], isReload: true },
      { ids: ['b'], isReload: false },
    ]);
    expect(world.follower.tasks.version).toBe(13);
  });

  it('follow the last of several changes of a task', async () => {
    const world = new World();
    await world.begin('a');
    world.pending.set('a', 2);
    await world.say(14, '-a', '+a', '+c', '-c');
    expect(world.held).toEqual(['a']);
    expect(world.follower.tasks.get('a')?.expiresAtMs).toBe(2);
  });

  it('do not include tasks that a reload does not list, nor tasks that have ended meanwhile', async () => {
    const world = new World();
    await world.begin('a', 'b');
    world.pending.delete('a');
    world.answers.push({ ok: true, version: 2_000, changes: 'reload' });
    await world.follower.catchUp('e');
    expect(world.held).toEqual(['b']);
    await world.say(2_001, '+gone');
    expect(world.held).toEqual(['b']);
  });

  it('are read again in another epoch, and stay if Redis refuses', async () => {
    const world = new World();
    await world.begin('a');
    world.answers.push({ ok: false, why: 'not_ready' });
    await world.follower.catchUp('e');
    expect(world.held).toEqual(['a']);
    world.pending = new Map([['b', 1]]);
    world.asked = [];
    world.answers.push({ ok: true, version: 0, changes: [] });
    await world.follower.catchUp('e2');
    expect(world.asked[0]).toBe(-1);
    expect(world.held).toEqual(['b']);
  });
});
