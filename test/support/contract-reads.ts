/** Reads: changes, the sweep of expired tasks, pages, counts and sensors. */
import { describe, expect, it } from 'vitest';
import { type Bench, FAR_MS, Org, ok, PATIENT } from './projection-bench.ts';

export function readsContract(bench: () => Bench): void {
  const newOrg = async (settings = {}) => new Org(bench(), await bench().projection({ ...PATIENT, ...settings })).use();

  describe('following changes', () => {
    it('answers the changes after a version, in order, or none', async () => {
      const org = await newOrg();
      const since = async (version: number) => ok(await org.projection.changes(org.oid, org.epoch, version));
      expect(await since(0)).toEqual({ ok: true, version: 0, changes: [] });
      await org.apply(org.task(0, 'a'), org.task(1, 'b'), org.task(2, 'a'));
      await org.apply(org.untask(3, 'a'));
      const all = [
        { kind: 'added', taskId: 'a' },
        { kind: 'added', taskId: 'b' },
        { kind: 'removed', taskId: 'a' },
      ];
      expect(await since(0)).toEqual({ ok: true, version: 3, changes: all });
      expect(await since(2)).toEqual({ ok: true, version: 3, changes: all.slice(2) });
      expect(await since(3)).toEqual({ ok: true, version: 3, changes: [] });
    });

    it('answers `reload` to a caller without a version, too far behind, or ahead', async () => {
      const org = await newOrg();
      const since = async (version: number) => ok(await org.projection.changes(org.oid, org.epoch, version)).changes;
      expect(await since(-1)).toBe('reload');
      expect(await since(1)).toBe('reload');
      for (let from = 0; from < 1_100; from += 100)
        await org.apply(...Array.from({ length: 100 }, (_, i) => org.task(from + i, `t${from + i}`)));
      expect(await since(0)).toBe('reload');
      expect(await since(1_100 - 1_025)).toBe('reload');
      expect(await since(1_100 - 1_024)).toHaveLength(1_024);
      expect(await since(1_100)).toEqual([]);
    });
  });

  describe('the sweep', () => {
    it('gives each expired task to one of ten callers', async () => {
      const org = await newOrg();
      const ids = Array.from({ length: 40 }, (_, i) => `t${i}`);
      await org.apply(...ids.map((id, i) => org.task(i, id, { expiresAtMs: org.nowMs - 1 })), org.task(40, 'later'));
      const found = (await Promise.all(Array.from({ length: 10 }, () => org.due()))).flat();
      expect(found.map(({ taskId }) => taskId).toSorted()).toEqual(ids.toSorted());
      expect(await org.due()).toEqual([]);
      expect(await org.pending()).toEqual(['later']);
      expect(await org.stateOf('t0')).toBe('expired');
      expect((await org.projection.readTasks(org.oid, ['t0']))[0]!.endedAtMs).toBe(org.nowMs - 1);
      const { changes } = ok(await org.projection.changes(org.oid, org.epoch, 41));
      expect(changes).toHaveLength(40);
    });

    it('returns no more than requested', async () => {
      const org = await newOrg();
      const expiresAtMs = org.nowMs - 1;
      await org.apply(...[0, 1, 2].map((i) => org.task(i, `t${i}`, { expiresAtMs })));
      const due = () => org.projection.due([{ oid: org.oid, epoch: org.epoch }], 2);
      expect([(await due()).length, (await due()).length, (await due()).length]).toEqual([2, 1, 0]);
    });

    it('gives a task to another caller if the first did not announce it within its lease, but not after it did', async () => {
      const org = await newOrg();
      const expiresAtMs = org.nowMs - 1;
      await org.apply(org.task(0, 'a', { expiresAtMs }));
      const mine = [{ oid: org.oid, taskId: 'a', expiresAtMs }];
      expect(await org.due()).toEqual(mine);
      expect(await org.due()).toEqual([]);
      await bench().endAnnouncing(org.oid);
      expect(await org.due()).toEqual(mine);
      expect(await org.due()).toEqual([]);
      await org.projection.announced(mine);
      await bench().endAnnouncing(org.oid);
      expect(await org.due()).toEqual([]);
    });

    it('keeps nothing of a task after its expiry and the retention', async () => {
      const org = await newOrg({ retentionMs: 200 });
      const now = await bench().nowMs();
      const expiresAtMs = now + 300;
      org.nowMs = now;
      await org.apply(
        org.task(0, 'a', { expiresAtMs }),
        org.task(1, 'removed', { expiresAtMs }),
        org.task(2, 'b', { expiresAtMs }),
      );
      await org.send('a', 's1', 's2');
      await org.ack({ taskId: 'a', sid: 's1', state: 'done', code: '0' });
      await org.events({ type: 'done', taskId: 'never', expiresAtMs });
      await org.apply(org.untask(3, 'removed', now));
      expect((await bench().left(org.oid)).length).toBeGreaterThan(0);
      await bench().reach(expiresAtMs);
      const expired = await org.due();
      expect(expired.map(({ taskId }) => taskId).toSorted()).toEqual(['a', 'b']);
      await org.projection.announced(expired);
      await bench().reach(expiresAtMs + 200);
      expect(await org.due()).toEqual([]);
      expect(await bench().left(org.oid)).toEqual([]);
      expect((await org.projection.endedIds(org.oid, 10, null)).ids).toEqual([]);
    });
  });

  describe('pages', () => {
    const pages = async (org: Org, limit: number) => {
      const found: string[][] = [];
      let after: string | null = null;
      do {
        const page: { ids: string[]; next: string | null } = await org.projection.pendingIds(org.oid, limit, after);
        found.push(page.ids);
        after = page.next;
      } while (after !== null);
      return found;
    };

    it('list every pending task once, by expiry and then by id, however many expire together', async () => {
      const org = await newOrg();
      const at = (i: number) => org.nowMs + FAR_MS + (i < 3 ? 0 : i < 10 ? 1 : 2);
      const ids = Array.from({ length: 12 }, (_, i) => `t${String(i).padStart(2, '0')}`);
      await org.apply(...ids.toReversed().map((id, i) => org.task(i, id, { expiresAtMs: at(Number(id.slice(1))) })));
      for (const limit of [1, 2, 3, 5, 7, 11, 12, 13, 100]) {
        const found = await pages(org, limit);
        expect(found.flat()).toEqual(ids);
        expect(found.slice(0, -1).every((page) => page.length === limit)).toBe(true);
        expect(found).toHaveLength(Math.ceil(ids.length / limit));
      }
    });

    it('continue correctly if the last member of the page before is gone', async () => {
      const org = await newOrg();
      await org.apply(...['a', 'b', 'c', 'd'].map((id, i) => org.task(i, id)));
      const first = await org.projection.pendingIds(org.oid, 2, null);
      expect(first.ids).toEqual(['a', 'b']);
      await org.apply(org.untask(4, 'a'), org.untask(5, 'b'), org.task(6, 'bb'));
      expect((await org.projection.pendingIds(org.oid, 10, first.next)).ids).toEqual(['bb', 'c', 'd']);
    });

    it('answer nothing for an org without tasks', async () => {
      const org = await newOrg();
      expect(await pages(org, 5)).toEqual([[]]);
      expect(await org.projection.readTasks(org.oid, ['x'])).toEqual([null]);
      expect(await org.projection.readDeliveries(org.oid, 'x')).toEqual(new Map());
    });
  });

  describe('counts and sensors', () => {
    it('are the sums over the partitions, each counted once', async () => {
      const org = await newOrg();
      const count = (partition: number, matched: number, online: number) => ({
        oid: org.oid,
        taskId: 'a',
        partition,
        matched,
        online,
      });
      expect(await org.projection.readCounts(org.oid, 'a')).toEqual({ partitions: 0, matched: 0, online: 0 });
      await org.projection.writeCounts([count(0, 5, 2), count(1, 0, 0)]);
      await org.projection.writeCounts([count(0, 6, 3)]);
      expect(await org.projection.readCounts(org.oid, 'a')).toEqual({ partitions: 2, matched: 6, online: 3 });
    });

    it('are returned as written, byte by byte, by partition, without forgotten ones', async () => {
      const org = await newOrg();
      const sids = Array.from({ length: 300 }, (_, i) => `sensor-${i}`);
      const row = (i: number) => ({
        online: i % 2 === 0,
        connectionId: i % 3 === 0 ? null : `conn ${i} é`,
        aliveAtMs: 1_700_000_000_000 + i,
        confirms: i % 5 === 0,
        sinceMs: i,
        closed: i % 4 === 0 ? [] : [`a ${i}`, '"b'],
        replaced: i % 7 === 0 ? ['[]'] : [],
        nextOffset: i,
      });
      const facts = sids.map((sid, i) => ({ sid, bytes: Buffer.from([0, 255, 10, i % 256]) }));
      const presence = sids.slice(1).map((sid, i) => ({ sid, row: row(i + 1) }));
      ok((await org.projection.writeSensors([org.rows({ nextOffset: 2, facts, presence })]))[0]!);
      ok((await org.projection.writeSensors([org.rows({ forgotten: ['sensor-7', 'never'] })]))[0]!);
      const found = new Map();
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof org.projection.scanSensors>> = await org.projection.scanSensors(
          org.oid,
          0,
          cursor,
        );
        for (const { sid, ...rest } of page.sensors) found.set(sid, rest);
        cursor = page.next;
      } while (cursor !== null);
      const expected = new Map(
        sids.map((sid, i) => [sid, { facts: Buffer.from([0, 255, 10, i % 256]), presence: i === 0 ? null : row(i) }]),
      );
      expected.delete('sensor-7');
      expect(found).toEqual(expected);
      expect(await org.projection.scanSensors(org.oid, 1, null)).toEqual({ sensors: [], next: null });
      const scanned = new Map();
      let next: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof org.projection.scanFacts>> = await org.projection.scanFacts(
          org.oid,
          0,
          next,
        );
        for (const sensor of page.sensors) scanned.set(sensor.sid, sensor.facts);
        next = page.next;
      } while (next !== null);
      expect(scanned).toEqual(new Map([...expected].map(([sid, sensor]) => [sid, sensor.facts])));
      const asked = ['sensor-9', 'sensor-7', 'sensor-0'];
      expect(await org.projection.readPresence(org.oid, 0, asked)).toEqual([row(9), null, null]);
      expect(await org.projection.readSensors(org.oid, 0, asked)).toEqual([
        { sid: 'sensor-9', ...expected.get('sensor-9') },
        null,
        { sid: 'sensor-0', ...expected.get('sensor-0') },
      ]);
      expect([
        await org.projection.readPresence(org.oid, 0, []),
        await org.projection.readSensors(org.oid, 0, []),
      ]).toEqual([[], []]);
      const [status] = await org.projection.status([org.oid]);
      expect(status?.presenceOffsets).toEqual(new Map([[0, 2]]));
      expect(status?.livePartitions).toEqual(new Set());
    });

    it('include one delivery, or null if nothing is stored of it', async () => {
      const org = await newOrg();
      await org.apply(org.task(0, 'a'));
      expect(await org.projection.readDelivery(org.oid, 'a', 's')).toBeNull();
      expect(await org.projection.readDelivery(org.oid, 'none', 's')).toBeNull();
      const [bare = 0, none] = await org.projection.countDeliveries(org.oid, ['a', 'none']);
      expect([bare > 0, none]).toEqual([true, 0]);
      await org.ack({ taskId: 'a', sid: 's', state: 'done', code: '0' });
      expect(await org.projection.readDelivery(org.oid, 'a', 's')).toEqual(
        (await org.projection.readDeliveries(org.oid, 'a')).get('s'),
      );
      expect(await org.projection.countDeliveries(org.oid, ['a'])).toEqual([bare + 1]);
    });

    it('wake the followers of an org', async () => {
      const org = await newOrg();
      const heard = Promise.withResolvers<string>();
      const stop = org.projection.onHint((oid) => oid === org.oid && heard.resolve(oid));
      org.projection.hint([org.oid]);
      expect(await heard.promise).toBe(org.oid);
      stop();
    });
  });
}
