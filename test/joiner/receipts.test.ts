import { describe, expect, it } from 'vitest';
import { judgeAll } from '../../src/consumer.ts';
import { judgeSensorEvent, settledEvent } from '../../src/joiner/receipts.ts';
import type { SensorEvent } from '../../src/model/records.ts';
import { OrgTable } from '../../src/orgs/table.ts';
import type { InRecord } from '../../src/ports.ts';

const OID = '11111111-2222-4333-8444-555555555555';
const orgs = new OrgTable();
orgs.apply(`${OID}/ORG/x`, { oid: OID, kind: 'ORG', name: 'x', etag: '', value: '{}', updated_at: 0, updated_by: '' });

const decoded = (change: Partial<SensorEvent>, event: object = {}) => {
  const value: SensorEvent = {
    oid: OID,
    sid: 's',
    event_type: 'RECEIPT',
    event_id: 'e',
    occurred_at: 7,
    investigation_id: null,
    task_id: null,
    routing: '{}',
    event: JSON.stringify(event),
    ...change,
  };
  const record: InRecord = {
    topic: 't',
    partition: 0,
    offset: 4,
    key: Buffer.from('s'),
    value: null,
    timestampMs: 0,
    headers: {},
  };
  return { record, value };
};
const judge = (change: Partial<SensorEvent>, event: object = {}) => {
  const { accepted, deadLetters } = judgeAll([decoded(change, event)], orgs, judgeSensorEvent);
  return {
    receipts: accepted.flatMap((answer) => ('receipt' in answer ? [answer.receipt] : [])),
    delivered: accepted.flatMap((answer) => ('delivered' in answer ? [answer.delivered] : [])),
    deadLetters,
  };
};

describe('sensor events', () => {
  it.each([
    ['its task_id, which comes first', { task_id: 'a', investigation_id: 'x/b' }, 'a'],
    ['the text after the last slash of the investigation id', { investigation_id: 'x/y/b' }, 'b'],
    ['the whole investigation id if it has no slash', { investigation_id: 'b' }, 'b'],
    ['the investigation id of routing', { routing: '{"investigation_id":"x/c"}' }, 'c'],
  ])('name their task by %s', (_, change, taskId) => {
    expect(judge(change).receipts.map((receipt) => receipt.taskId)).toEqual([taskId]);
  });

  it('without a task, and delivery notices, are no receipts', () => {
    expect(judge({}).receipts).toEqual([]);
    for (const event_type of ['DELIVERED', 'CLOUD_NOTIFICATION']) {
      const judged = judge({ event_type, task_id: 'a' });
      expect(judged.receipts).toEqual([]);
      expect(judged.delivered.map(({ taskId }) => taskId)).toEqual(['a']);
    }
  });

  it.each([
    [{}, 'done', '0'],
    [{ ERROR: 0 }, 'done', '0'],
    [{ ERROR: 200 }, 'done', '0'],
    [{ ERROR: '200' }, 'done', '0'],
    [{ ERROR: 5, ERROR_MESSAGE: 'denied' }, 'failed', '5'],
    [{ ERROR: 'no such file' }, 'failed', 'no_such_file'],
    [{ ERROR: { toString: null } }, 'failed', '{"toString":null}'],
  ])('with %j are %s', (event, state, code) => {
    expect(judge({ task_id: 'a' }, event).receipts).toMatchObject([{ state, code }]);
  });

  it('that are nested too deeply become dead letters, at any depth', () => {
    const nested = (depth: number) => `{"ERROR":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
    expect(judge({ task_id: 'a', event: nested(64) }).receipts).toMatchObject([{ state: 'failed' }]);
    for (const depth of [65, 5_000, 200_000]) {
      const { receipts, deadLetters } = judge({ task_id: 'a', event: nested(depth) });
      expect([receipts, deadLetters.map(({ code }) => code)]).toEqual([[], ['nested_too_deep']]);
    }
  });

  it('that are not valid become dead letters with a code', () => {
    expect(judge({ routing: '[]' }).deadLetters.map(({ code }) => code)).toEqual(['record_invalid']);
    expect(judge({ sid: 'other' }).deadLetters.map(({ code }) => code)).toEqual(['key_mismatch']);
  });
});

describe('a settled delivery', () => {
  const receipt = { oid: OID, sid: 's', taskId: 'a', offset: 1, state: 'done' as const, code: '0', message: '' };
  const orgPartition = undefined as never;

  it('has the event that Redis has stored, so that a repeat is the same event', () => {
    const word = { state: 'failed' as const, attempt: 2, atMs: 9, expiresAtMs: 99, code: '5' };
    const first = settledEvent({ receipt, orgPartition, epoch: 'e', word: { word: 'first', ...word } });
    const repeat = settledEvent({
      receipt: { ...receipt, offset: 8 },
      orgPartition,
      epoch: 'e',
      word: { word: 'repeat', ...word },
    });
    expect(repeat).toEqual(first);
    expect(first?.event).toMatchObject({ type: 'TASK_FAILURE', attempt: 2, occurred_at: 9 });
  });

  it('of an unknown task has no event', () => {
    expect(settledEvent({ receipt, orgPartition, epoch: 'e', word: { word: 'gone' } })).toBeNull();
  });
});
