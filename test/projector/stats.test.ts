import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { TaskEvent } from '../../src/model/records.ts';
import {
  bucketOf,
  countEvents,
  foldCounts,
  latencyOf,
  onlineIn,
  percentile,
  type StatsStore,
} from '../../src/projector/stats.ts';

const NOW = 1_800_000_000_000;
const MINUTE = NOW / 60_000;

const event = (type: TaskEvent['type'], part: Partial<TaskEvent> = {}): TaskEvent => ({
  type,
  event_id: 'e',
  oid: 'o',
  task_id: 't',
  sid: 's',
  attempt: 1,
  occurred_at: NOW,
  detail: null,
  ...part,
});
const at = (offset: number, of: TaskEvent) => ({ offset, event: of });

describe('what an event counts as', () => {
  const cases: [string, TaskEvent, Record<string, number>][] = [
    ['a task queued', event('ADD_TASK', { sid: null }), { q: 1 }],
    ['a dispatch, and its latency', event('TASK_SENT', { detail: `{"due_at":${NOW - 7}}` }), { s: 1, l12: 1 }],
    ['a later attempt has no latency', event('TASK_SENT', { attempt: 2, detail: `{"due_at":${NOW - 7}}` }), { s: 1 }],
    ['a dispatch whose detail is not JSON', event('TASK_SENT', { detail: '{' }), { s: 1 }],
    ['a receipt', event('TASK_DONE'), { d: 1 }],
    ['a receipt with an error', event('TASK_FAILURE'), { f: 1 }],
    ['an expiry', event('TASK_EXPIRED', { sid: null }), { e: 1 }],
    ['a removal of the task', event('TASK_REMOVED', { sid: null }), { r: 1 }],
  ];
  test.each(cases)('%s', (_name, of, fields) => {
    expect(foldCounts([at(0, of)], 0, NOW)).toEqual(new Map([[MINUTE, new Map(Object.entries(fields))]]));
  });

  test.each([
    ['a withdrawn delivery', event('TASK_REMOVED')],
    ['a delivery notice', event('TASK_DELIVERED')],
    ['an event older than a day', event('TASK_DONE', { occurred_at: NOW - 25 * 3_600_000 })],
  ])('nothing: %s', (_name, of) => {
    const counts = [...foldCounts([at(0, of)], 0, NOW).values()].flatMap((fields) => [...fields]);
    expect(counts).toEqual([]);
  });
});

describe('latencies', () => {
  it('have an error of at most a tenth', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), (ms) => {
        expect(Math.abs(latencyOf(bucketOf(ms)) - ms)).toBeLessThanOrEqual((ms + 1) * 0.1);
      }),
    );
  });

  it('give a percentile, and null for a minute without deliveries', () => {
    const minute = new Map([
      ['s', 100],
      [`l${bucketOf(10)}`, 98],
      [`l${bucketOf(1_000)}`, 2],
    ]);
    expect(percentile(minute, 0.5)).toBeCloseTo(latencyOf(bucketOf(10)));
    expect(percentile(minute, 0.99)).toBeCloseTo(latencyOf(bucketOf(1_000)));
    expect(percentile(new Map([['s', 1]]), 0.5)).toBeNull();
  });
});

test('sensors online are the sum over the partitions, and null if no joiner wrote them', () => {
  expect(onlineIn(new Map(Object.entries({ o0: 2, o1: 3, s: 9 })))).toBe(5);
  expect(onlineIn(new Map([['s', 9]]))).toBeNull();
});

/** Holds what the script holds: an offset and a sum. */
function store() {
  let next = -1;
  let total = 0;
  const count: StatsStore['count'] = async (requests) =>
    requests.map(({ fromOffset, nextOffset, counts }) => {
      if (next > fromOffset) return next;
      next = nextOffset;
      for (const fields of counts.values()) total += fields.get('d') ?? 0;
      return null;
    });
  return { count, total: () => total };
}

test('each record counts once, however the batches are cut and read again', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 20 }), async (cuts) => {
      const { count, total } = store();
      const log = Array.from({ length: 31 }, (_, offset) => at(offset, event('TASK_DONE')));
      let reached = 0;
      for (const [a, b] of cuts) {
        const from = Math.min(a, b, reached); // a reader moves back, but never leaves records out
        const nextOffset = Math.max(a, b) + 1;
        const events = log.slice(from, nextOffset);
        const batch = { partition: 0, fromOffset: from, nextOffset };
        await countEvents({ count } as StatsStore, new Map([['o', { epoch: 'e', events }]]), batch, NOW);
        reached = Math.max(reached, nextOffset);
        expect(total()).toBe(reached);
      }
    }),
  );
});
