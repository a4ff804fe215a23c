import { describe, expect, it } from 'vitest';
import { settledEvent, sortEvents, waitForClaimBatches } from '../../src/joiner/receipts.ts';
import type { SensorEvent } from '../../src/model/records.ts';
import { OrgTable } from '../../src/orgs/table.ts';
import type { InRecord, RolePorts } from '../../src/ports.ts';

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
const sort = (change: Partial<SensorEvent>, event: object = {}) => sortEvents([decoded(change, event)], orgs);

describe('sensor events', () => {
  it.each([
    ['its task_id, which wins', { task_id: 'a', investigation_id: 'x/b' }, 'a'],
    ['what follows the last slash of the investigation id', { investigation_id: 'x/y/b' }, 'b'],
    ['the whole investigation id without one', { investigation_id: 'b' }, 'b'],
    ['the investigation id of routing', { routing: '{"investigation_id":"x/c"}' }, 'c'],
  ])('name their task by %s', (_, change, taskId) => {
    expect(sort(change).receipts.map((receipt) => receipt.taskId)).toEqual([taskId]);
  });

  it('of no task, and confirmations of delivery, settle nothing', () => {
    expect(sort({}).receipts).toEqual([]);
    for (const event_type of ['DELIVERED', 'CLOUD_NOTIFICATION']) {
      const sorted = sort({ event_type, task_id: 'a' });
      expect(sorted.receipts).toEqual([]);
      expect(sorted.delivered.map(({ taskId }) => taskId)).toEqual(['a']);
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
    expect(sort({ task_id: 'a' }, event).receipts).toMatchObject([{ state, code }]);
  });

  it('that are nested too deeply become dead letters, however deep', () => {
    const nested = (depth: number) => `{"ERROR":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
    expect(sort({ task_id: 'a', event: nested(64) }).receipts).toMatchObject([{ state: 'failed' }]);
    for (const depth of [65, 5_000, 200_000]) {
      const { receipts, deadLetters } = sort({ task_id: 'a', event: nested(depth) });
      expect([receipts, deadLetters.map(({ code }) => code)]).toEqual([[], ['nested_too_deep']]);
    }
  });

  it('that are not valid become dead letters with a code', () => {
    expect(sort({ routing: '[]' }).deadLetters.map(({ code }) => code)).toEqual(['record_invalid']);
    expect(sort({ sid: 'other' }).deadLetters.map(({ code }) => code)).toEqual(['key_mismatch']);
  });
});

describe('a settled pair', () => {
  const receipt = { oid: OID, sid: 's', taskId: 'a', offset: 1, state: 'done' as const, code: '0', message: '' };
  const orgPartition = undefined as never;

  it('is told from the word that is kept, so that a repeat is the same event', () => {
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

  it('of an unknown task is not told', () => {
    expect(settledEvent({ receipt, orgPartition, epoch: 'e', word: { word: 'gone' } })).toBeNull();
  });
});

describe('claims in flight', () => {
  const ports = (
    answers: (
      | { ok: true; nowMs: number; entries: { batch: string; untilMs: number }[] }
      | { ok: false; why: 'not_ready' }
    )[],
  ) => {
    let now = 0;
    const clock = {
      monoMs: () => now,
      delay: async (ms: number) => {
        now += ms;
      },
    };
    const projection = { inFlight: async () => answers.shift() ?? { ok: false, why: 'not_ready' } };
    return { elapsed: () => now, ports: { clock, projection } as unknown as RolePorts };
  };

  it('are waited for until they are gone, in the same usable epoch', async () => {
    const entry = { batch: 'b', untilMs: 10_500 };
    const world = ports([
      { ok: true, nowMs: 0, entries: [entry] },
      { ok: true, nowMs: 0, entries: [] },
    ]);
    await waitForClaimBatches(world.ports, OID, 'e', 10_000, [entry]);
    expect(world.elapsed()).toBe(10);
  });

  it('are waited out when nothing can be said about them', async () => {
    const world = ports([]);
    await waitForClaimBatches(world.ports, OID, 'e', 10_000, [{ batch: 'b', untilMs: 10_500 }]);
    expect(world.elapsed()).toBe(500);
  });
});
