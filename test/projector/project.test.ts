import { describe, expect, it } from 'vitest';
import { judgeAll } from '../../src/consumer.ts';
import type { TaskCommand, TaskEvent } from '../../src/model/records.ts';
import { OrgTable } from '../../src/orgs/table.ts';
import type { InRecord } from '../../src/ports.ts';
import { toAcked } from '../../src/projector/events.ts';
import {
  expiredEvent,
  followUp,
  isNarrow,
  judgeCommand,
  removedEvent,
  type Step,
  toApply,
} from '../../src/projector/project.ts';

const OID = '11111111-2222-4333-8444-555555555555';
const NOW = 1_800_000_000_000;
const orgs = new OrgTable();
const setting = (kind: 'ORG' | 'SUBSCRIPTION', name: string, value: object) =>
  orgs.apply(`${OID}/${kind}/${name}`, {
    oid: OID,
    kind,
    name,
    etag: '',
    value: JSON.stringify(value),
    updated_at: 0,
    updated_by: '',
  });
setting('ORG', OID, {});
setting('SUBSCRIPTION', 'ext-reliable-tasking', { periods: [{ from: 0 }] });
const rules = { orgs, ttlMaxSeconds: 1_000, taskMaxBytes: 100 };

function step(change: Partial<TaskCommand> = {}, offset = 7): Step {
  const command: TaskCommand = {
    action: 'TASK',
    oid: OID,
    task_id: 'a',
    task: 'os_version',
    selector: null,
    context: null,
    ttl: 60,
    issued_at: NOW,
    issued_by: 'me',
    untask_selector: null,
    options: null,
    ...change,
  };
  const record: InRecord = {
    topic: 't',
    partition: 0,
    offset,
    key: Buffer.from(command.task_id),
    value: null,
    timestampMs: NOW + 5,
    headers: {},
  };
  return { record, command };
}
const decoded = (one: Step) => ({ record: one.record, value: one.command });

describe('a command', () => {
  it('is refused with a code, or becomes a step', () => {
    const judged = judgeAll(
      [decoded(step()), decoded(step({ ttl: 2_000 }))],
      orgs,
      judgeCommand(rules, () => null),
    );
    expect(judged.accepted).toEqual([step()]);
    expect(judged.deadLetters.map(({ code }) => code)).toEqual(['ttl_invalid']);
  });

  it('is not judged again by a replay: the dead letters say what was refused, whatever the rules are today', () => {
    const today = { ...rules, ttlMaxSeconds: 1 };
    const replay = (given: typeof rules, refused: boolean) =>
      judgeAll(
        [decoded(step())],
        orgs,
        judgeCommand(given, () => ({ refused })),
      );
    expect(replay(today, false)).toEqual({ accepted: [step()], deadLetters: [] });
    expect(replay(rules, true)).toEqual({ accepted: [], deadLetters: [] });
  });

  it('is applied by its issue time and ttl; an UNTASK by its append time', () => {
    expect(toApply(step(), () => Buffer.from('x'))).toMatchObject({ op: 'task', offset: 7, expiresAtMs: NOW + 60_000 });
    expect(toApply(step({ task: 'reboot --now' }), () => Buffer.from('x'))).toMatchObject({ doneWhenSent: true });
    expect(toApply(step({ action: 'UNTASK' }), () => Buffer.alloc(0))).toEqual({
      op: 'untask',
      offset: 7,
      taskId: 'a',
      appendedAtMs: NOW + 5,
    });
  });

  it.each([
    [{}, false],
    [{ action: 'UNTASK' as const }, false],
    [{ action: 'UNTASK' as const, untask_selector: '*' }, false],
    [{ action: 'UNTASK' as const, untask_selector: 'plat == linux' }, true],
  ])('%j withdraws single deliveries: %s', (change, narrow) => {
    expect(isNarrow(step(change))).toBe(narrow);
  });

  it('is followed by an event, a dead letter, or nothing', () => {
    expect(followUp(step(), 'added').event).toMatchObject({ type: 'ADD_TASK', task_id: 'a', sid: null });
    expect(followUp(step({ action: 'UNTASK' }), 'removed').event).toMatchObject({
      type: 'TASK_REMOVED',
      occurred_at: NOW + 5,
    });
    expect(followUp(step(), 'conflict').deadLetter).toMatchObject({ code: 'task_id_conflict' });
    for (const outcome of ['same', 'past', 'nothing'] as const) expect(followUp(step(), outcome)).toEqual({});
  });

  it('gives the same event ids when it is read again', () => {
    expect(followUp(step(), 'added')).toEqual(followUp(step({}, 99), 'added'));
    expect(expiredEvent(OID, 'a', 5).event_id).toBe(expiredEvent(OID, 'a', 6).event_id);
    expect(removedEvent({ oid: OID, task_id: 'a' }, 1, 's').event_id).not.toBe(
      removedEvent({ oid: OID, task_id: 'a' }, 1, null).event_id,
    );
  });
});

describe('a task event that the projection does not have', () => {
  const event = (change: Partial<TaskEvent>): TaskEvent => ({
    type: 'TASK_DONE',
    event_id: 'e',
    oid: OID,
    task_id: 'a',
    sid: 's',
    attempt: 2,
    occurred_at: 9,
    detail: '{"expires_at":99}',
    ...change,
  });
  it.each([
    [{}, { type: 'done', sid: 's', attempt: 2, atMs: 9, expiresAtMs: 99 }],
    [
      { type: 'TASK_SENT' as const, detail: '{"expires_at":99,"tag":"ab"}' },
      { type: 'sent', extra: 'ab' },
    ],
    [
      { type: 'TASK_FAILURE' as const, detail: '{"expires_at":99,"error_code":"5"}' },
      { type: 'failed', extra: '5' },
    ],
    [
      { type: 'TASK_EXPIRED' as const, sid: null },
      { type: 'expired', expiresAtMs: 99 },
    ],
    [
      { type: 'TASK_FAILURE' as const, detail: '{"error_code":{"toString":1}}' },
      { type: 'failed', extra: '0' },
    ],
    [{ type: 'TASK_SENT' as const, detail: `{"tag":"${'x'.repeat(1_000)}"}` }, { extra: 'x'.repeat(64) }],
    [{ type: 'TASK_DONE' as const, detail: 'not json' }, { expiresAtMs: 9 }],
  ])('%j is applied', (change, acked) => expect(toAcked(event(change))).toMatchObject(acked));
  it.each([
    [{ type: 'ADD_TASK' as const }],
    [{ type: 'TASK_DELIVERED' as const }],
    [{ type: 'TASK_REMOVED' as const, sid: null }],
  ])('%j adds nothing to the commands', (change) => expect(toAcked(event(change))).toBeNull());
});
