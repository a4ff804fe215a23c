/** Claims, and what ends them: checks, confirmations and acknowledgements. */
import { describe, expect, it } from 'vitest';
import { type Bench, FAR_MS, Org, ok, PATIENT } from './projection-bench.ts';

const claimed = (attempt: number) => ({ word: 'claimed', attempt });
const WAIT = { word: 'wait', untilMs: expect.any(Number) };
const SETTLED = { word: 'settled' };
const GONE = { word: 'gone' };

export function claimsContract(bench: () => Bench): void {
  const newOrg = async (settings = {}) => new Org(bench(), await bench().projection({ ...PATIENT, ...settings })).use();
  const withTask = async (settings = {}) => {
    const org = await newOrg(settings);
    await org.apply(org.task(0, 'a'));
    return org;
  };
  const untilOf = async (words: Promise<unknown[]>) => ((await words)[0] as { untilMs: number }).untilMs;

  describe('claiming deliveries', () => {
    it('gives each delivery to one claim until its redelivery time', async () => {
      const org = await withTask();
      const batch = org.newBatch();
      expect(await org.claim('a', ['s1', 's2'], { batch })).toEqual([claimed(1), claimed(1)]);
      expect(await org.claim('a', ['s2', 's3'])).toEqual([WAIT, claimed(1)]);
      await org.confirm(batch, 'a');
      const now = await bench().nowMs();
      const until = await untilOf(org.claim('a', ['s1']));
      expect(until).toBeGreaterThan(now + PATIENT.firstBackoffMs / 2);
      expect(until).toBeLessThanOrEqual(now + PATIENT.firstBackoffMs);
      expect(await org.delivery('a')).toMatchObject({ state: 'sent', attempt: 1 });
    });

    it('gives a delivery once to ten claims at the same time', async () => {
      const org = await withTask();
      const words = (await Promise.all(Array.from({ length: 10 }, () => org.claim('a', ['s1'])))).flat();
      expect(words.filter(({ word }) => word === 'claimed')).toEqual([claimed(1)]);
      expect(words.filter(({ word }) => word === 'wait')).toHaveLength(9);
    });

    it('claims the next attempt at once for another connection, but not while a claim is in flight', async () => {
      const org = await withTask();
      const batch = org.newBatch();
      await org.claim('a', ['s1'], { batch });
      expect(await org.claim('a', ['s1'], { connectionHash: 'tag2' })).toEqual([WAIT]);
      await org.confirm(batch, 'a');
      expect(await org.claim('a', ['s1'], { connectionHash: 'tag2' })).toEqual([claimed(2)]);
    });

    it('claims the next attempt of the same connection after the backoff, which doubles up to its maximum', async () => {
      const org = await withTask({ firstBackoffMs: 20, maxBackoffMs: 30 });
      for (let attempt = 1; attempt <= 4; attempt += 1) {
        const batch = org.newBatch();
        expect(await org.claim('a', ['s1'], { batch })).toEqual([claimed(attempt)]);
        await org.confirm(batch, 'a');
        const { atMs } = (await org.delivery('a'))!;
        await bench().reach(atMs + (attempt === 1 ? 20 : 30));
      }
    });

    it('claims the same attempt again if a claim was never confirmed and its lease is over', async () => {
      const org = await withTask({ leaseMs: 30 });
      const batch = org.newBatch();
      await org.claim('a', ['s1'], { batch });
      const { inFlight } = ok(await org.projection.takeover(org.oid, org.epoch, 0));
      expect(inFlight.map((entry) => entry.batch)).toEqual([batch]);
      await bench().reach(inFlight[0]!.untilMs);
      org.fencingToken = await org.take();
      const again = org.newBatch();
      expect(await org.claim('a', ['s1'], { batch: again, connectionHash: 'tag2' })).toEqual([
        { ...claimed(1), again: true },
      ]);
      await org.confirm(again, 'a');
      expect(await org.claim('a', ['s1'], { connectionHash: 'tag3' })).toEqual([claimed(2)]);
    });

    it('claims the same attempt of a delivery that is done when sent until it is confirmed', async () => {
      const org = await withTask({ leaseMs: 30, firstBackoffMs: 20 });
      const batch = org.newBatch();
      await org.claim('a', ['s1'], { batch, doneWhenSent: true });
      const [entry] = ok(await org.projection.takeover(org.oid, org.epoch, 0)).inFlight;
      await bench().reach(entry!.untilMs);
      org.fencingToken = await org.take();
      // The batch was confirmed without the delivery, because its sensor was offline: TASK_DONE of attempt 1 may be on the log.
      await org.confirm(batch, 'a');
      expect(await org.claim('a', ['s1'], { connectionHash: 'tag2', doneWhenSent: true })).toEqual([
        { ...claimed(1), again: true },
      ]);
    });

    it('keeps a delivery done that is done when sent and was withdrawn in flight', async () => {
      const org = await withTask();
      const batch = org.newBatch();
      await org.claim('a', ['s1'], { batch, doneWhenSent: true });
      await org.narrow(1, 'a', ['s1']);
      await org.confirm(batch, 'a', { done: ['s1'] });
      expect(await org.delivery('a')).toMatchObject({ state: 'done', attempt: 1 });
    });

    it('gives no delivery that is settled', async () => {
      const org = await withTask();
      await org.send('a', 's1', 's2', 's3');
      await org.ack(
        { taskId: 'a', sid: 's1', state: 'done', code: '0' },
        { taskId: 'a', sid: 's2', state: 'failed', code: '9' },
      );
      await org.narrow(1, 'a', ['s3']);
      expect(await org.claim('a', ['s1', 's2', 's3'], { connectionHash: 'other' })).toEqual([
        SETTLED,
        SETTLED,
        SETTLED,
      ]);
    });

    it('gives no delivery of a task that is unknown, removed, expired, or about to expire', async () => {
      const org = await newOrg();
      const expiresAtMs = org.nowMs + 600_000;
      await org.apply(
        org.task(0, 'a', { expiresAtMs }),
        org.task(1, 'removed'),
        org.untask(2, 'removed'),
        org.task(3, 'over', { expiresAtMs: org.nowMs }),
      );
      const early = await bench().projection({ ...PATIENT, marginMs: 601_000 });
      expect(await org.claim('a', ['s1'], { by: early })).toEqual([GONE]);
      for (const taskId of ['unknown', 'removed', 'over'])
        expect(await org.claim(taskId, ['s1', 's2'])).toEqual([GONE, GONE]);
      expect(await org.claim('a', ['s1'])).toEqual([claimed(1)]);
      expect(await org.delivery('removed')).toBeUndefined();
      expect(ok(await org.projection.inFlight(org.oid, org.epoch)).entries).toHaveLength(1);
    });

    it('writes presence before it claims, and answers the version and the time of Redis', async () => {
      const org = await withTask();
      const { oid, epoch, fencingToken } = org;
      const presence = [
        {
          sid: 's1',
          row: {
            online: true,
            connectionId: 'c 1',
            aliveAtMs: 5,
            confirms: false,
            sinceMs: 5,
            closed: [],
            replaced: [],
            nextOffset: 4,
          },
        },
      ];
      const rows = org.rows({ nextOffset: 4, facts: [{ sid: 's1', bytes: Buffer.from([0, 255]) }], presence });
      const tasks = [{ taskId: 'a', deliveries: [{ sid: 's1', connectionHash: 't' }] }];
      const before = await bench().nowMs();
      const answer = await org.projection.claim(
        [rows],
        [{ oid, epoch, fencingToken, partition: 0, batch: org.newBatch(), tasks }],
      );
      expect(answer.rows).toEqual([{ ok: true }]);
      expect(answer.claims[0]).toMatchObject({ ok: true, version: 1, words: [[claimed(1)]] });
      expect(ok(answer.claims[0]!).nowMs).toBeGreaterThanOrEqual(before);
      expect(ok(await org.projection.takeover(oid, epoch, 0)).nextOffset).toBe(4);
    });
  });

  describe('rows of an owner that died between two parts', () => {
    it('are ahead of the stored offset, and each has its own offset', async () => {
      const org = await withTask();
      const row = {
        online: true,
        connectionId: 'c',
        aliveAtMs: 5,
        confirms: false,
        sinceMs: 5,
        closed: [],
        replaced: [],
      };
      const facts = [{ sid: 's1', bytes: Buffer.from([1]) }];
      const presence = [{ sid: 's1', row: { ...row, nextOffset: 9 } }];
      const written = await org.projection.writeSensors([
        org.rows({ nextOffset: 4 }),
        org.rows({ nextOffset: -1, facts, presence }),
      ]);
      expect(written).toEqual([{ ok: true }, { ok: true }]);
      expect(ok(await org.projection.takeover(org.oid, org.epoch, 0)).nextOffset).toBe(4);
      const { sensors } = await org.projection.scanSensors(org.oid, 0, null);
      expect(sensors.find(({ sid }) => sid === 's1')?.presence?.nextOffset).toBe(9);
    });
  });

  describe('checking a claim again', () => {
    const recheck = async (org: Org, batch: string, taskId: string, sids: string[], by = org.projection) => {
      const { oid, epoch, fencingToken } = org;
      return ok(await by.recheck({ oid, epoch, fencingToken, partition: 0, batch, tasks: [{ taskId, sids }] })).kept[0];
    };

    it('keeps the claims that the batch still has, with a new lease', async () => {
      const org = await withTask({ leaseMs: 30 });
      const batch = org.newBatch();
      await org.claim('a', ['s1', 's2', 's3'], { batch });
      await org.ack({ taskId: 'a', sid: 's2', state: 'done', code: '0' });
      await org.narrow(1, 'a', ['s3']);
      const patient = await bench().projection(PATIENT);
      expect(await recheck(org, batch, 'a', ['s1', 's2', 's3', 's4'], patient)).toEqual([true, false, false, false]);
      const [entry] = ok(await org.projection.inFlight(org.oid, org.epoch)).entries;
      expect(entry!.untilMs).toBeGreaterThan((await bench().nowMs()) + 1_000);
      expect(await recheck(org, 'another', 'a', ['s1'])).toEqual([false]);
    });

    it('keeps no claim of a task that was removed or is about to expire; the batch stays in flight', async () => {
      const org = await withTask();
      const batch = org.newBatch();
      await org.claim('a', ['s1'], { batch });
      const early = await bench().projection({ ...PATIENT, marginMs: FAR_MS + 1_000 });
      expect(await recheck(org, batch, 'a', ['s1'], early)).toEqual([false]);
      await org.apply(org.untask(1, 'a'));
      expect(await recheck(org, batch, 'a', ['s1'])).toEqual([false]);
      expect(ok(await org.projection.inFlight(org.oid, org.epoch)).entries.map((entry) => entry.batch)).toEqual([
        batch,
      ]);
    });
  });

  describe('confirming a batch', () => {
    it('takes back a dropped attempt: the delivery is due at once with the same attempt', async () => {
      const org = await withTask();
      const batch = org.newBatch();
      await org.claim('a', ['s1', 's2'], { batch });
      await org.confirm(batch, 'a', { dropped: ['s1'] });
      expect(ok(await org.projection.inFlight(org.oid, org.epoch)).entries).toEqual([]);
      expect(await org.delivery('a', 's1')).toBeUndefined();
      expect(await org.claim('a', ['s1', 's2'])).toEqual([claimed(1), WAIT]);
    });

    it('keeps an attempt that may have been sent: the delivery is due at once with the next attempt', async () => {
      const org = await withTask();
      const batch = org.newBatch();
      await org.claim('a', ['s1', 's2'], { batch });
      await org.ack({ taskId: 'a', sid: 's2', state: 'failed', code: '9' });
      await org.confirm('another', 'a', { kept: ['s1'] });
      expect(await org.claim('a', ['s1'])).toEqual([WAIT]);
      await org.confirm(batch, 'a', { kept: ['s1', 's2'] });
      expect(await org.delivery('a', 's1')).toMatchObject({ state: 'sent', attempt: 1 });
      expect(await org.claim('a', ['s1'])).toEqual([claimed(2)]);
      expect(await org.delivery('a', 's2')).toMatchObject({ state: 'failed' });
    });

    it('takes back a later attempt too', async () => {
      const org = await withTask();
      await org.send('a', 's1');
      const batch = org.newBatch();
      expect(await org.claim('a', ['s1'], { batch, connectionHash: 'tag2' })).toEqual([claimed(2)]);
      await org.confirm(batch, 'a', { dropped: ['s1'] });
      expect(await org.claim('a', ['s1'], { connectionHash: 'tag2' })).toEqual([claimed(2)]);
    });

    it('settles a delivery that is done when sent, and changes none that another batch or a receipt has changed', async () => {
      const org = await withTask();
      const batch = org.newBatch();
      await org.claim('a', ['s1', 's2'], { batch });
      await org.ack({ taskId: 'a', sid: 's2', state: 'failed', code: '9' });
      await org.confirm('another', 'a', { dropped: ['s1'], done: ['s1'] });
      expect(await org.delivery('a', 's1')).toMatchObject({ state: 'sent', attempt: 1 });
      await org.confirm(batch, 'a', { done: ['s1'], dropped: ['s2'] });
      expect(await org.delivery('a', 's1')).toMatchObject({ state: 'done', attempt: 1 });
      expect(await org.delivery('a', 's2')).toMatchObject({ state: 'failed', reason: '9' });
    });
  });

  describe('acknowledging deliveries', () => {
    const done = (taskId: string, sid = 's1') => ({ taskId, sid, state: 'done' as const, code: '0' });

    it('counts the first receipt, and answers it to every later one', async () => {
      const org = await withTask();
      await org.send('a', 's1');
      const first = await org.ack({ taskId: 'a', sid: 's1', state: 'failed', code: '1006' });
      const word = {
        state: 'failed',
        attempt: 1,
        code: '1006',
        atMs: expect.any(Number),
        expiresAtMs: org.nowMs + FAR_MS,
      };
      expect(first.words).toEqual([{ word: 'first', ...word }]);
      expect((await org.ack(done('a'))).words).toEqual([{ ...(first.words[0] as object), word: 'repeat' }]);
    });

    it('counts one of two receipts in one request, with attempt 0 if nothing was sent', async () => {
      const org = await withTask();
      const { words } = await org.ack(done('a', 's7'), done('a', 's7'), done('unknown'));
      expect(words).toMatchObject([{ word: 'first', attempt: 0 }, { word: 'repeat', attempt: 0 }, GONE]);
    });

    it('counts receipts of tasks that have ended, because the command ran', async () => {
      const org = await newOrg();
      await org.apply(org.task(0, 'removed'), org.task(1, 'over', { expiresAtMs: org.nowMs - 1 }));
      await org.apply(org.untask(2, 'removed'));
      await org.due();
      expect((await org.ack(done('removed'), done('over'))).words).toMatchObject([
        { word: 'first' },
        { word: 'first' },
      ]);
    });

    it('has one result for a delivery that is done when sent, whatever a receipt says, and whenever it comes', async () => {
      const org = await newOrg();
      await org.apply(org.task(0, 'a', { doneWhenSent: true }));
      const batch = org.newBatch();
      await org.claim('a', ['s1', 's2'], { batch, doneWhenSent: true });
      const failed = (sid: string) => ({ taskId: 'a', sid, state: 'failed' as const, code: '9' });
      expect((await org.ack(failed('s1'))).words).toMatchObject([{ word: 'first', state: 'done', attempt: 1 }]);
      await org.confirm(batch, 'a', { done: ['s1', 's2'] });
      expect((await org.ack(failed('s2'))).words).toMatchObject([{ word: 'repeat', state: 'done', attempt: 1 }]);
      // Redis was lost since, so its claim is unknown. The TASK_DONE of that claim can still come.
      expect((await org.ack(failed('s3'))).words).toMatchObject([{ word: 'first', state: 'done', attempt: 1 }]);
      expect((await org.ack(failed('s3'))).words).toMatchObject([{ word: 'repeat', state: 'done', attempt: 1 }]);
    });

    it('names only the claim in flight of the delivery to wait for', async () => {
      const org = await withTask();
      const [mine, other] = [org.newBatch(), org.newBatch()];
      await org.claim('a', ['s1'], { batch: mine });
      await org.claim('a', ['s2'], { batch: other });
      expect((await org.ack(done('a'))).waitFor).toEqual([{ batch: mine, untilMs: expect.any(Number) }]);
      await org.confirm(other, 'a');
      expect((await org.ack(done('a', 's2'))).waitFor).toEqual([]);
    });

    it('names the claim in flight of a delivery that was withdrawn after it', async () => {
      const org = await withTask();
      await org.send('a', 's1');
      const batch = org.newBatch();
      await org.claim('a', ['s1'], { batch, connectionHash: 'tag2' });
      await org.narrow(1, 'a', ['s1']);
      const { words, waitFor } = await org.ack(done('a'));
      expect(words).toMatchObject([{ word: 'first', attempt: 2 }]);
      expect(waitFor.map((entry) => entry.batch)).toEqual([batch]);
    });

    it('names everything in flight for a delivery that was settled before, because its claim is not known any more', async () => {
      const org = await withTask();
      const [mine, other] = [org.newBatch(), org.newBatch()];
      await org.claim('a', ['s1'], { batch: mine });
      await org.claim('a', ['s2'], { batch: other });
      await org.ack(done('a'));
      const { waitFor } = await org.ack(done('a'));
      expect(waitFor.map((entry) => entry.batch).toSorted()).toEqual([mine, other].toSorted());
    });

    it('names no claim whose lease is over', async () => {
      const org = await withTask({ leaseMs: 20 });
      await org.claim('a', ['s1'], {});
      const [entry] = ok(await org.projection.takeover(org.oid, org.epoch, 0)).inFlight;
      org.fencingToken = await org.take();
      await bench().reach(entry!.untilMs);
      expect((await org.ack(done('a'))).waitFor).toEqual([]);
      expect(ok(await org.projection.inFlight(org.oid, org.epoch)).entries).toEqual([]);
    });
  });
}
