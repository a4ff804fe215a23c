/** Expired tasks: each is given to one of all sweepers, and again only if its announcer died. */
import { describe, expect, it } from 'vitest';
import type { Projection } from '../../src/projector/projection.ts';
import { type Bench, Org, PATIENT } from './projection-bench.ts';

const SWEEPERS = 10;
const TASKS = 300;

export function sweepContract(bench: () => Bench): void {
  const newOrg = async (settings = {}) => new Org(bench(), await bench().projection({ ...PATIENT, ...settings })).use();
  const sweepers = (): Promise<Projection[]> =>
    Promise.all(
      // Settings that do not matter here give each its own projection.
      Array.from({ length: SWEEPERS }, (_, i) => bench().projection({ firstBackoffMs: PATIENT.firstBackoffMs + i })),
    );
  const ids = Array.from({ length: TASKS }, (_, i) => `task-${i}`);
  const over = (org: Org) => ids.map((id, offset) => org.task(offset, id, { expiresAtMs: org.nowMs - 1 }));

  /** All sweep at the same time, some pages each, until none finds anything. Returns the ids in the order of the answers. */
  const sweepAll = async (org: Org, announce = true): Promise<string[]> => {
    const given: string[] = [];
    await Promise.all(
      (await sweepers()).map(async (projection) => {
        for (;;) {
          const found = await projection.due([{ oid: org.oid, epoch: org.epoch }], 7);
          if (found.length === 0) return;
          given.push(...found.map(({ taskId }) => taskId));
          if (announce) await projection.announced(found);
        }
      }),
    );
    return given;
  };

  describe(`sweeping by ${SWEEPERS} workers at once`, () => {
    it('gives each expired task to one of them', async () => {
      const org = await newOrg();
      await org.apply(...over(org));
      expect((await sweepAll(org)).toSorted()).toEqual(ids.toSorted());
      expect(await sweepAll(org)).toEqual([]);
      expect(await org.pending()).toEqual([]);
    });

    it('gives only a task again whose announcer died', async () => {
      const org = await newOrg();
      await org.apply(...over(org));
      const dead = (await org.projection.due([{ oid: org.oid, epoch: org.epoch }], 5)).map(({ taskId }) => taskId);
      expect(dead).toHaveLength(5);
      expect((await sweepAll(org)).toSorted()).toEqual(ids.filter((id) => !dead.includes(id)).toSorted());
      await bench().endAnnouncing(org.oid);
      expect((await sweepAll(org)).toSorted()).toEqual(dead.toSorted());
    });

    it('gives only tasks without a TASK_EXPIRED on the log after a loss', async () => {
      const org = await newOrg();
      await org.apply(...over(org));
      const announced = (await org.projection.due([{ oid: org.oid, epoch: org.epoch }], 100)).map(
        ({ taskId }) => taskId,
      );
      await bench().lose(org.oid);
      await org.begin();
      await org.apply(...over(org));
      await org.events(
        ...announced.map((taskId) => ({ type: 'expired' as const, taskId, expiresAtMs: org.nowMs - 1 })),
      );
      expect(await sweepAll(org)).toEqual([]);
      await org.attestAll();
      expect((await sweepAll(org)).toSorted()).toEqual(ids.filter((id) => !announced.includes(id)).toSorted());
    });

    it('does not announce the expiry of a task that an earlier UNTASK has removed meanwhile', async () => {
      const org = await newOrg();
      const expiresAtMs = org.nowMs - 1;
      await org.apply(org.task(0, 'a', { expiresAtMs }));
      expect(await org.due()).toHaveLength(1);
      expect(await org.apply(org.untask(1, 'a', expiresAtMs - 5))).toEqual(['removed']);
      await bench().endAnnouncing(org.oid);
      expect(await org.due()).toEqual([]);
      expect(await org.stateOf('a')).toBe('removed');
      expect((await bench().left(org.oid)).some((name) => name.endsWith(':xq'))).toBe(false);
    });
  });
}
