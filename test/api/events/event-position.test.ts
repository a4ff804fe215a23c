import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEventIds } from '../../../src/api/events/event-id.ts';
import { replayFrom } from '../../../src/api/events/event-position.ts';
import { readConfig } from '../../../src/config.ts';

const offsets = fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 12 });
const mapOf = (list: number[]) => new Map(list.map((offset, partition) => [partition, offset]));

describe('the id of an event', () => {
  const LEAST = { KAFKA_BROKERS: 'k:1', REDIS_URL: 'redis://:password@r:1' };
  const idsWith = (env: Record<string, string>) => createEventIds(readConfig({ ...LEAST, ...env }));
  const SECRET = { JWT_SECRET: 's'.repeat(32) };
  const ids = idsWith(SECRET);

  test('says how far each partition was read, and is read back as that at any process', () => {
    expect([ids.open('o', undefined), ids.open('o', '')]).toEqual([null, null]);
    expect(ids.open('o', ids.seal('o', new Map([[2, 5]])))).toEqual(mapOf([0, 0, 5]));
    for (const env of [SECRET, {}])
      fc.assert(
        fc.property(offsets, (list) => {
          expect(idsWith(env).open('o', idsWith(env).seal('o', mapOf(list)))).toEqual(mapOf(list));
        }),
      );
  });

  test('says nothing to who reads it: it is as long whatever was written, and never the same', () => {
    const [idle, again, busy] = [
      [0, 0],
      [0, 0],
      [2 ** 47, 9],
    ].map((list) => ids.seal('o', mapOf(list)));
    expect(new Set([idle, again, busy]).size).toBe(3);
    expect(new Set([idle, again, busy].map((id) => id?.length)).size).toBe(1);
  });

  test('is of one org, of one installation, and whole', () => {
    const id = ids.seal('o', mapOf([1, 2]));
    for (const open of [
      () => ids.open('another', id),
      () => idsWith({ JWT_SECRET: 't'.repeat(32) }).open('o', id),
      () => ids.open('o', id.slice(0, -2)),
      () => ids.open('o', '1,2'),
      () => ids.open('o', 'x'),
    ])
      expect(open()).toBe('unreadable');
  });
});

describe('a replay', () => {
  test('begins where the reader stopped, and takes nothing twice, if it is not too much', () => {
    fc.assert(
      fc.property(offsets, offsets, fc.integer({ min: 1, max: 2_000_000 }), (asked, ends, most) => {
        const to = mapOf(ends);
        const { from, skipped } = replayFrom(mapOf(asked), to, most);
        const behind = ends.reduce((sum, end, p) => sum + Math.max(0, end - (asked[p] ?? 0)), 0);
        const kept = ends.reduce((sum, end, p) => sum + end - (from.get(p) ?? 0), 0);
        expect(kept).toBeLessThanOrEqual(most);
        expect(kept + skipped).toBe(behind);
        if (behind <= most) expect(skipped).toBe(0);
        for (const [p, end] of to) {
          expect(from.get(p)).toBeLessThanOrEqual(end);
          expect(from.get(p)).toBeGreaterThanOrEqual(Math.min(asked[p] ?? 0, end));
        }
      }),
    );
  });
});
