/** What commands and events of the log change in the projection, also when they are repeated. */
import { describe, expect, it } from 'vitest';
import type { ApplyCommand } from '../../src/projector/projection.ts';
import { type Bench, FAR_MS, Org, PATIENT } from './projection-bench.ts';

export function applyContract(bench: () => Bench): void {
  const newOrg = async (settings = {}) => new Org(bench(), await bench().projection({ ...PATIENT, ...settings })).use();
  const offsetOf = async (org: Org) => (await org.projection.status([org.oid]))[0]!.commandOffsets.get(0);

  /** Applies the commands twice. The answers must be the same. */
  const twice = async (org: Org, ...commands: ApplyCommand[]) => {
    const outcomes = await org.apply(...commands);
    const version = (await org.projection.status([org.oid]))[0]!.version;
    expect(await org.apply(...commands)).toEqual(outcomes);
    expect((await org.projection.status([org.oid]))[0]!.version).toBe(version);
    return outcomes;
  };

  describe('applying commands', () => {
    it('adds a task once, also if equal commands follow, and refuses other content', async () => {
      const org = await newOrg();
      expect(
        await twice(org, org.task(3, 'a'), org.task(4, 'a'), org.task(5, 'a', { content: 'other' }), org.task(6, 'b')),
      ).toEqual(['added', 'same', 'conflict', 'added']);
      expect(await org.pending()).toEqual(['a', 'b']);
      expect(await offsetOf(org)).toBe(7);
      const [task] = await org.projection.readTasks(org.oid, ['a']);
      expect(task).toMatchObject({
        taskId: 'a',
        state: 'pending',
        offset: 3,
        contentHash: 'os_version',
        endedAtMs: null,
      });
      expect(task!.command.task).toBe('os_version');
      expect(task!.expiresAtMs).toBe(org.nowMs + FAR_MS);
    });

    it('removes a task once; its id cannot be used again, also not with the same content', async () => {
      const org = await newOrg();
      expect(
        await twice(
          org,
          org.task(0, 'a'),
          org.untask(1, 'a'),
          org.untask(2, 'a'),
          org.task(3, 'a'),
          org.untask(4, 'unknown'),
        ),
      ).toEqual(['added', 'removed', 'nothing', 'conflict', 'nothing']);
      expect(await org.pending()).toEqual([]);
      expect((await org.projection.endedIds(org.oid, 10, null)).ids).toEqual(['a']);
      const [task] = await org.projection.readTasks(org.oid, ['a']);
      expect(task).toMatchObject({ state: 'removed', endedAtMs: org.nowMs });
    });

    it('answers a repeat like the first time, also if the task has ended meanwhile', async () => {
      const org = await newOrg();
      const [first, copy] = [org.task(0, 'a'), org.task(1, 'a')];
      await org.apply(first, copy);
      await org.apply(org.untask(2, 'a'));
      expect(await org.apply(first, copy)).toEqual(['added', 'same']);
      expect(await offsetOf(org)).toBe(3);
      expect(await org.pending()).toEqual([]);
    });

    it('withdraws nothing that had expired when the UNTASK was appended', async () => {
      const org = await newOrg();
      const expiresAtMs = org.nowMs + 5_000;
      expect(
        await twice(
          org,
          org.task(0, 'a', { expiresAtMs }),
          org.untask(1, 'a', expiresAtMs),
          org.untask(2, 'a', expiresAtMs - 1),
        ),
      ).toEqual(['added', 'nothing', 'removed']);
    });

    it('stores nothing of a task that ended longer ago than the retention', async () => {
      const org = await newOrg();
      const expiresAtMs = org.nowMs - PATIENT.retentionMs - 1;
      expect(await twice(org, org.task(0, 'a', { expiresAtMs }), org.untask(1, 'a', expiresAtMs - 1))).toEqual([
        'past',
        'nothing',
      ]);
      expect(await bench().left(org.oid)).toEqual([]);
    });

    it('does not answer `conflict` for a past task that is read again after its id was used again', async () => {
      const org = await newOrg();
      const past = org.task(0, 'a', { expiresAtMs: org.nowMs - PATIENT.retentionMs - 1 });
      expect(await twice(org, past, org.task(1, 'a', { content: 'other' }))).toEqual(['past', 'added']);
    });

    it('ignores a copy that was appended while the task was known, also if the task is deleted by now', async () => {
      const org = await newOrg();
      const goneAtMs = org.nowMs - 1_000;
      const expiresAtMs = goneAtMs - PATIENT.retentionMs;
      const original = org.task(0, 'a', { expiresAtMs, appendedAtMs: expiresAtMs - 1 });
      const late = (offset: number, appendedAtMs: number) => org.task(offset, 'a', { appendedAtMs });
      expect(await twice(org, original, late(1, goneAtMs - 1))).toEqual(['past', 'same']);
      expect(await org.stateOf('a')).toBeUndefined();
      expect(await org.pending()).toEqual([]);
      expect((await org.ack({ taskId: 'a', sid: 's1', state: 'done', code: '0' })).words).toEqual([{ word: 'gone' }]);
      expect(await twice(org, late(2, goneAtMs))).toEqual(['added']);
    });

    it('adds a task again if its removal was deleted before the append', async () => {
      const org = await newOrg();
      const expiresAtMs = org.nowMs - PATIENT.retentionMs - 1_000;
      const [removedAtMs, againAtMs] = [expiresAtMs - 10_000, expiresAtMs - 5_000 + PATIENT.retentionMs];
      expect(
        await twice(
          org,
          org.task(0, 'a', { expiresAtMs, appendedAtMs: removedAtMs - 1 }),
          org.untask(1, 'a', removedAtMs),
          org.task(2, 'a', { appendedAtMs: againAtMs }),
        ),
      ).toEqual(['past', 'nothing', 'added']);
    });

    it('answers the expiry of a task with its removal, also to a repeat', async () => {
      const org = await newOrg();
      const expiresAtMs = org.nowMs + 5_000;
      const commands = [org.task(0, 'a', { expiresAtMs }), org.untask(1, 'a'), org.untask(2, 'unknown')];
      const ask = async () => {
        const { oid, epoch } = org;
        return (await org.projection.apply([{ oid, epoch, partition: 0, nextOffset: 3, commands }]))[0];
      };
      for (const answer of [await ask(), await ask()])
        expect(answer).toMatchObject({ ok: true, expiriesMs: [expiresAtMs, expiresAtMs, null] });
    });

    it('adds a task that has ended within the retention, so that it ends in the same way', async () => {
      const org = await newOrg();
      const expiresAtMs = org.nowMs - 1_000;
      expect(await twice(org, org.task(0, 'a', { expiresAtMs }))).toEqual(['added']);
      expect(await org.due()).toEqual([{ oid: org.oid, taskId: 'a', expiresAtMs }]);
    });

    it('replays only the removal if its retention is over', async () => {
      const org = await newOrg();
      expect(await org.apply(org.task(0, 'a'), org.untask(1, 'a', org.nowMs - PATIENT.retentionMs - 1))).toEqual([
        'added',
        'removed',
      ]);
      expect(await org.pending()).toEqual([]);
      expect(await org.stateOf('a')).toBeUndefined();
    });

    it('advances the offset of a partition without records of the org, and never moves it back', async () => {
      const org = await newOrg();
      const advance = async (nextOffset: number) => {
        await org.projection.advance([{ oid: org.oid, epoch: org.epoch, kind: 'c', partition: 0, nextOffset }]);
        return offsetOf(org);
      };
      expect(await advance(9)).toBe(9);
      expect(await advance(4)).toBe(9);
      expect(await org.apply(org.task(8, 'late'))).toEqual(['past']);
      expect(await org.pending()).toEqual([]);
    });

    it('separates orgs that use the same task id', async () => {
      const [one, other] = [await newOrg(), await newOrg()];
      await one.apply(one.task(0, 'a'));
      expect(await other.apply(other.task(0, 'a', { content: 'other' }))).toEqual(['added']);
      await one.apply(one.untask(1, 'a'));
      expect(await other.stateOf('a')).toBe('pending');
    });
  });

  describe('replaying events', () => {
    it('keeps deliveries that are read before their task', async () => {
      const org = await newOrg();
      await org.events(
        { type: 'sent', taskId: 'a', sid: 's1', attempt: 3, extra: 'tag1' },
        { type: 'done', taskId: 'a', sid: 's2', attempt: 2 },
        { type: 'removed', taskId: 'a', sid: 's3' },
      );
      expect(await org.stateOf('a')).toBeUndefined();
      expect(await org.apply(org.task(0, 'a'))).toEqual(['added']);
      expect(await org.claim('a', ['s1', 's2', 's3', 's4'])).toEqual([
        { word: 'wait', untilMs: expect.any(Number) },
        { word: 'settled' },
        { word: 'settled' },
        { word: 'claimed', attempt: 1 },
      ]);
      expect(await org.claim('a', ['s1'], { connectionHash: 'tag2' })).toEqual([{ word: 'claimed', attempt: 4 }]);
    });

    it('takes only a later attempt of TASK_SENT, and only the first receipt', async () => {
      const org = await newOrg();
      await org.apply(org.task(0, 'a'));
      const sent = (attempt: number) => org.events({ type: 'sent', taskId: 'a', attempt });
      await sent(2);
      await sent(1);
      expect(await org.delivery('a')).toMatchObject({ state: 'sent', attempt: 2 });
      await org.events({ type: 'failed', taskId: 'a', attempt: 2, atMs: 5, extra: '1006' });
      const failed = { state: 'failed', attempt: 2, atMs: 5, reason: '1006' };
      expect(await org.delivery('a')).toEqual(failed);
      await org.events({ type: 'done', taskId: 'a', attempt: 3, atMs: 6 });
      await org.events({ type: 'removed', taskId: 'a', atMs: 7 });
      await sent(9);
      expect(await org.delivery('a')).toEqual(failed);
    });

    it('takes a receipt after a removal, because the command ran, but no later TASK_SENT', async () => {
      const org = await newOrg();
      await org.apply(org.task(0, 'a'));
      await org.events(
        { type: 'sent', taskId: 'a', attempt: 4 },
        { type: 'removed', taskId: 'a', attempt: 0, extra: '17' },
      );
      expect(await org.delivery('a')).toMatchObject({ state: 'removed', attempt: 4, reason: '17' });
      await org.events({ type: 'sent', taskId: 'a', attempt: 5 });
      expect(await org.delivery('a')).toMatchObject({ state: 'removed' });
      await org.events({ type: 'done', taskId: 'a', attempt: 4 });
      expect(await org.delivery('a')).toMatchObject({ state: 'done', attempt: 4 });
    });

    it('ends a task whose TASK_EXPIRED is read before it, without announcing it again', async () => {
      const org = await newOrg();
      const expiresAtMs = org.nowMs - 1_000;
      await org.events({ type: 'expired', taskId: 'a', expiresAtMs });
      expect(await org.apply(org.task(0, 'a', { expiresAtMs }))).toEqual(['added']);
      expect(await org.stateOf('a')).toBe('expired');
      expect(await org.pending()).toEqual([]);
      expect((await org.projection.endedIds(org.oid, 10, null)).ids).toEqual(['a']);
      expect(await org.due()).toEqual([]);
    });

    it('ends a pending task by its TASK_EXPIRED, once, and not one that was removed', async () => {
      const org = await newOrg();
      await org.apply(org.task(0, 'a'), org.task(1, 'b'), org.untask(2, 'b'));
      const version = async () => (await org.projection.status([org.oid]))[0]!.version;
      const before = await version();
      await org.events({ type: 'expired', taskId: 'a' }, { type: 'expired', taskId: 'b' });
      await org.events({ type: 'expired', taskId: 'a' }, { type: 'expired', taskId: 'b' });
      expect(await version()).toBe(before + 1);
      expect([await org.stateOf('a'), await org.stateOf('b')]).toEqual(['expired', 'removed']);
      expect(await org.pending()).toEqual([]);
    });

    it('keeps deliveries without a task no longer than the task would be kept', async () => {
      const org = await newOrg();
      await org.events({ type: 'done', taskId: 'a', expiresAtMs: org.nowMs - PATIENT.retentionMs - 1 });
      expect(await bench().left(org.oid)).toEqual([]);
    });
  });

  describe('withdrawing deliveries', () => {
    it('withdraws the open deliveries, and answers the same sids to a repeat, part by part', async () => {
      const org = await newOrg();
      await org.apply(org.task(0, 'a'));
      await org.send('a', 's1', 's2');
      await org.ack({ taskId: 'a', sid: 's2', state: 'done', code: '0' });
      expect(await org.narrow(1, 'a', ['s1', 's2'], { last: false })).toEqual(['s1']);
      expect(await offsetOf(org)).toBe(1);
      expect(await org.narrow(1, 'a', ['s1', 's2'], { last: false })).toEqual(['s1']);
      expect(await org.narrow(1, 'a', ['s3'])).toEqual(['s3']);
      expect(await offsetOf(org)).toBe(2);
      expect((await org.narrow(1, 'a', ['s1', 's9'])).toSorted()).toEqual(['s1', 's3']);
      expect(await org.narrow(2, 'a', ['s1', 's4'])).toEqual(['s4']);
      expect((await org.narrow(1, 'a', [])).toSorted()).toEqual(['s1', 's3']);
      expect(await org.delivery('a', 's1')).toMatchObject({ state: 'removed', attempt: 1 });
      expect(await org.delivery('a', 's2')).toMatchObject({ state: 'done' });
      expect(await org.claim('a', ['s1', 's5'], { connectionHash: 'other' })).toEqual([
        { word: 'settled' },
        { word: 'claimed', attempt: 1 },
      ]);
    });

    it('withdraws nothing from a task that is unknown, removed or expired', async () => {
      const org = await newOrg();
      const expiresAtMs = org.nowMs + 5_000;
      await org.apply(org.task(0, 'a'), org.untask(1, 'a'), org.task(2, 'b', { expiresAtMs }));
      expect(await org.narrow(3, 'a', ['s1'])).toEqual([]);
      expect(await org.narrow(4, 'unknown', ['s1'])).toEqual([]);
      expect(await org.narrow(5, 'b', ['s1'], { atMs: expiresAtMs })).toEqual([]);
      expect(await offsetOf(org)).toBe(6);
      expect(await org.delivery('a')).toBeUndefined();
      expect(await org.delivery('b')).toBeUndefined();
    });
  });
}
