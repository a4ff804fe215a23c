/** The marker of an org: which requests are allowed while it is new, complete, lost, replaced, or taken over by another owner. */
import { describe, expect, it } from 'vitest';
import { askEverything, type Bench, Org, ok, PATIENT } from './projection-bench.ts';

const whys = (answers: Record<string, { ok: boolean; why?: string }>) =>
  Object.fromEntries(Object.entries(answers).map(([name, answer]) => [name, answer.ok ? 'ok' : answer.why]));
const each = (answers: Record<string, unknown>, why: string) =>
  Object.fromEntries(Object.keys(answers).map((name) => [name, why]));

export function markerContract(bench: () => Bench): void {
  const newOrg = async () => new Org(bench(), await bench().projection(PATIENT));

  describe('the marker of an org', () => {
    it('begins an org once, and answers the same epoch afterwards', async () => {
      const org = await newOrg();
      expect(await org.projection.status([org.oid])).toEqual([null]);
      const [first] = await org.projection.begin([org.oid]);
      const [again] = await org.projection.begin([org.oid]);
      expect(first).toMatchObject({ usable: false, version: 0, commandOffsets: new Map(), eventOffsets: new Map() });
      expect(first!.epoch).not.toBe('');
      expect(first!.begunAtMs).toBeLessThanOrEqual(first!.nowMs);
      expect(again).toMatchObject({ epoch: first!.epoch, begunAtMs: first!.begunAtMs });
    });

    it('makes an org usable with its last partition; each counts once, and offsets never decrease', async () => {
      const org = await newOrg();
      await org.begin();
      const attest = async (kind: 'c' | 't', partition: number, nextOffset: number) => {
        await org.attest(kind, partition, nextOffset, 3);
        return (await org.projection.status([org.oid]))[0]!;
      };
      expect((await attest('c', 0, 7)).usable).toBe(false);
      expect((await attest('c', 0, 3)).usable).toBe(false);
      expect((await attest('t', 0, 4)).usable).toBe(false);
      const status = await attest('c', 1, 0);
      expect(status.usable).toBe(true);
      expect(status.commandOffsets).toEqual(
        new Map([
          [0, 7],
          [1, 0],
        ]),
      );
      expect(status.eventOffsets).toEqual(new Map([[0, 4]]));
    });

    it('refuses requests that need a complete projection until it is complete, and accepts those of the rebuild', async () => {
      const org = await newOrg();
      await org.begin();
      const { use, rebuild } = await askEverything(org);
      expect(whys(use)).toEqual(each(use, 'not_ready'));
      expect(whys(rebuild)).toEqual(each(rebuild, 'ok'));
      await org.apply(org.task(10, 'old', { expiresAtMs: org.nowMs }));
      expect(await org.due()).toEqual([]);
      expect(await org.pending()).toContain('old');
    });

    it('knows which owners have caught up with presence in this epoch', async () => {
      const org = await (await newOrg()).use();
      const live = async () => (await org.projection.status([org.oid]))[0]?.livePartitions;
      ok((await org.projection.writeSensors([org.rows({ nextOffset: 5 })]))[0]!);
      expect(await live()).toEqual(new Set());
      ok((await org.projection.writeSensors([org.rows({ nextOffset: 6, live: true })]))[0]!);
      expect(await live()).toEqual(new Set([0]));
      await bench().replace(org.oid);
      await org.projection.begin([org.oid]);
      expect(await live()).toEqual(new Set());
      expect((await org.projection.status([org.oid]))[0]?.presenceOffsets).toEqual(new Map([[0, 6]]));
    });

    it('has no older sensors after an owner has replaced all of them', async () => {
      const org = await (await newOrg()).use();
      const fact = (sid: string) => ({ sid, bytes: Buffer.from(sid) });
      const write = async (rows: Parameters<typeof org.rows>[0]) =>
        ok((await org.projection.writeSensors([org.rows(rows)]))[0]!);
      await write({ nextOffset: 5, facts: [fact('forgotten'), fact('kept')] });
      await write({ nextOffset: -1, replace: true, facts: [fact('kept')] });
      const status = async () => (await org.projection.status([org.oid]))[0]!;
      expect((await status()).presenceOffsets).toEqual(new Map());
      await write({ nextOffset: 7, facts: [fact('new')] });
      expect((await status()).presenceOffsets).toEqual(new Map([[0, 7]]));
      const { sensors } = await org.projection.scanSensors(org.oid, 0, null);
      expect(sensors.map(({ sid }) => sid).toSorted()).toEqual(['kept', 'new']);
    });

    it('refuses everything after the org is lost, and no request writes anything', async () => {
      const org = await (await newOrg()).use();
      await org.apply(org.task(0, 'T'));
      await bench().lose(org.oid);
      const { use, rebuild } = await askEverything(org);
      expect(whys({ ...use, ...rebuild })).toEqual(each({ ...use, ...rebuild }, 'lost'));
      expect(await org.due()).toEqual([]);
      await org.confirm(org.newBatch(), 'T', { done: ['s1'] });
      await org.projection.advance([{ oid: org.oid, epoch: org.epoch, kind: 'c', partition: 0, nextOffset: 9 }]);
      expect(await org.projection.status([org.oid])).toEqual([null]);
      expect(await bench().left(org.oid)).toEqual([]);
    });

    it('gives a lost org a new epoch, even at once, and refuses the earlier epoch', async () => {
      const org = await (await newOrg()).use();
      const before = org.epoch;
      await bench().lose(org.oid);
      await org.begin();
      const now = org.epoch;
      expect(now).not.toBe(before);
      await org.attestAll();
      org.epoch = before;
      const { use, rebuild } = await askEverything(org);
      expect({ ...use, ...rebuild }).toEqual(
        Object.fromEntries(
          Object.keys({ ...use, ...rebuild }).map((name) => [name, { ok: false, why: 'epoch', epoch: now }]),
        ),
      );
      await org.projection.advance([{ oid: org.oid, epoch: before, kind: 'c', partition: 0, nextOffset: 9 }]);
      expect((await org.projection.status([org.oid]))[0]!.commandOffsets.get(0)).toBe(0);
    });

    it('does not accept another process with the same data, neither for claims nor for a rebuild in the old epoch', async () => {
      const org = await (await newOrg()).use();
      await org.apply(org.task(0, 'T'));
      await bench().replace(org.oid);
      expect((await org.projection.status([org.oid]))[0]).toMatchObject({ epoch: org.epoch, usable: false });
      const { use, rebuild } = await askEverything(org);
      expect(whys(use)).toEqual(each(use, 'not_ready'));
      expect(whys(rebuild)).toEqual(each(rebuild, 'lost'));

      const before = org.epoch;
      await org.begin();
      expect(org.epoch).not.toBe(before);
      const status = (await org.projection.status([org.oid]))[0]!;
      expect(status).toMatchObject({ usable: false, commandOffsets: new Map([[0, 1]]) });
      expect(await org.pending()).toEqual(['T']);
      await org.attestAll();
      expect((await org.projection.status([org.oid]))[0]!.usable).toBe(true);
    });

    it('does not count what was attested before another process answered', async () => {
      const org = await newOrg();
      await org.begin();
      await org.attest('c', 0, 0, 2);
      await bench().replace(org.oid);
      await org.begin();
      await org.attest('t', 0, 0, 2);
      expect((await org.projection.status([org.oid]))[0]!.usable).toBe(false);
    });

    it('can lose one org without the others', async () => {
      const org = await (await newOrg()).use();
      const other = await (await newOrg()).use();
      await bench().lose(org.oid);
      const [lost, kept] = await org.projection.status([org.oid, other.oid]);
      expect(lost).toBeNull();
      expect(kept).toMatchObject({ usable: true, epoch: other.epoch });
    });

    it('refuses an owner as soon as another one has taken over the partition, only in that partition', async () => {
      const org = await (await newOrg()).use();
      await org.apply(org.task(0, 'T'));
      const elsewhere = await org.take(3);
      await org.take();
      const { use } = await askEverything(org);
      expect(whys(use)).toEqual({
        claim: 'fenced',
        rows: 'fenced',
        writeSensors: 'fenced',
        recheck: 'fenced',
        ack: 'fenced',
        inFlight: 'ok',
        changes: 'ok',
        takeover: 'ok',
      });
      expect(await org.delivery('T')).toBeUndefined();
      const rows = org.rows({ partition: 3, fencingToken: elsewhere, nextOffset: 5 });
      expect((await org.projection.writeSensors([rows]))[0]).toEqual({ ok: true });
    });

    it('answers a new owner the offset of its partition, and its claims in flight', async () => {
      const org = await (await newOrg()).use();
      await org.apply(org.task(0, 'T'));
      const partition = async (n: number) => ok(await org.projection.takeover(org.oid, org.epoch, n));
      expect(await partition(1)).toMatchObject({ nextOffset: null, inFlight: [] });
      const batch = org.newBatch();
      await org.claim('T', ['s1'], { batch });
      ok((await org.projection.writeSensors([org.rows({ nextOffset: 12 })]))[0]!);
      ok((await org.projection.writeSensors([org.rows({ nextOffset: 8 })]))[0]!);
      const taken = await partition(0);
      expect(taken.nextOffset).toBe(12);
      expect(taken.fencingToken).not.toBe(org.fencingToken);
      expect(taken.inFlight).toEqual([{ batch, untilMs: expect.any(Number) }]);
      expect(taken.inFlight[0]!.untilMs).toBeGreaterThan(taken.nowMs);
      expect((await partition(1)).inFlight).toEqual([]);
      await org.projection.confirm([{ oid: org.oid, epoch: org.epoch, batch, tasks: [] }]);
      expect((await partition(0)).inFlight).toEqual([]);
    });
  });
}
