import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { idOf, positionsOf, replayFrom } from '../../src/api/event-position.ts';

const offsets = fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 12 });
const mapOf = (list: number[]) => new Map(list.map((offset, partition) => [partition, offset]));

describe('the id of an event', () => {
  test('says how far each partition was read, and is read back as that', () => {
    expect(idOf(mapOf([3, 0, 1041]))).toBe('3,0,1041');
    expect(idOf(new Map([[2, 5]]))).toBe('0,0,5');
    expect([positionsOf(undefined), positionsOf('')]).toEqual([null, null]);
    fc.assert(
      fc.property(offsets, (list) => {
        expect(positionsOf(idOf(mapOf(list)))).toEqual(mapOf(list));
      }),
    );
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
