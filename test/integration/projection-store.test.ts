/** The contract of the projection on real Redis, and what only Redis can get wrong: keys and their expiry. */
import { describe, expect, it, vi } from 'vitest';
import { Org, ok, PATIENT } from '../support/projection-bench.ts';
import { projectionContract } from '../support/projection-contract.ts';
import { openRedisBench } from '../support/redis-bench.ts';

projectionContract('in Redis', openRedisBench);

describe('keys in Redis', () => {
  it('all carry the tag of their org, and those of a task expire by themselves', async () => {
    const bench = await openRedisBench();
    try {
      const before = new Set(await bench.raw.keys('*'));
      const org = await new Org(bench, await bench.projection(PATIENT)).use();
      await org.apply(
        org.task(0, 'a'),
        org.task(1, 'over', { expiresAtMs: org.nowMs - 1 }),
        org.task(2, 'b'),
        org.untask(3, 'b'),
      );
      await org.claim('a', ['s1']);
      await org.due();
      await org.events({ type: 'done', taskId: 'never' });
      await org.projection.writeCounts([{ oid: org.oid, taskId: 'a', partition: 0, matched: 1, online: 1 }]);
      const presence = [
        {
          sid: 's1',
          row: {
            online: true,
            connectionId: 'c',
            aliveAtMs: 1,
            confirms: true,
            sinceMs: 5,
            closed: [],
            replaced: [],
            nextOffset: 1,
          },
        },
      ];
      ok(
        (
          await org.projection.writeSensors([org.rows({ facts: [{ sid: 's1', bytes: Buffer.from('f') }], presence })])
        )[0]!,
      );

      const tagged = (await bench.raw.keys(`*${org.oid}*`)).toSorted();
      const prefix = `{${org.oid}}:`;
      expect(tagged.every((key) => key.startsWith(prefix))).toBe(true);
      const names = tagged.map((key) => key.slice(prefix.length));
      expect(names).toEqual([
        'f:0',
        'ie',
        'if',
        'ix',
        'log',
        'm',
        'o:0',
        'p:a',
        'p:b',
        'p:never',
        'p:over',
        'q:a',
        't:a',
        'xq',
      ]);
      const untagged = (await bench.raw.keys('*')).filter(
        (key) => !before.has(key) && !/^\{[0-9a-f-]{36}\}:/.test(key),
      );
      expect(untagged).toEqual([]);

      const expiry = async (name: string) => org.nowMs + (await bench.raw.pttl(prefix + name));
      for (const name of names.filter((name) => /^[ptq]:/.test(name)))
        expect(await expiry(name)).toBeGreaterThan(org.nowMs);
      const [task] = await org.projection.readTasks(org.oid, ['a']);
      const exact = (await bench.nowMs()) + (await bench.raw.pttl(`${prefix}t:a`));
      expect(Math.abs(exact - task!.expiresAtMs)).toBeLessThan(1_000);
      const kept = (await bench.nowMs()) + (await bench.raw.pttl(`${prefix}p:a`));
      expect(Math.abs(kept - task!.expiresAtMs - PATIENT.retentionMs)).toBeLessThan(1_000);
    } finally {
      await bench.stop();
    }
  });

  it('are swept by the clock of Redis, whatever the clock of the process says', async () => {
    const bench = await openRedisBench();
    const org = await new Org(bench, await bench.projection(PATIENT)).use();
    await org.apply(org.task(0, 'ended', { expiresAtMs: org.nowMs - 1 }), org.task(1, 'runs'));
    const clock = vi.spyOn(Date, 'now').mockReturnValue(0);
    try {
      expect((await org.due()).map(({ taskId }) => taskId)).toEqual(['ended']);
      clock.mockReturnValue(org.nowMs + 365 * 86_400_000);
      expect(await org.due()).toEqual([]);
      expect((await org.projection.endedIds(org.oid, 9, null)).ids).toEqual(['ended']);
    } finally {
      clock.mockRestore();
      await bench.stop();
    }
  });
});
