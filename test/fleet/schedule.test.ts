import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSchedule, dueChanges } from '../../src/fleet/schedule.ts';

const SIDS = Array.from({ length: 40 }, (_, i) => `s${i}`);

/** Walks `steps` changes from `start` and tells them all. */
function walk(seed: number, start: readonly string[], steps: number) {
  const online = new Set(start);
  const schedule = createSchedule(seed, SIDS);
  const changes = Array.from({ length: steps }, () => {
    const change = schedule.next((sid) => online.has(sid), online.size) ?? expect.fail();
    expect(online.has(change.sid)).toBe(change.to === 'offline');
    if (change.to === 'online') online.add(change.sid);
    else online.delete(change.sid);
    return change;
  });
  return { changes, online };
}

describe('the on and off schedule', () => {
  it('repeats from its seed, and differs between seeds', () => {
    expect(walk(4, SIDS, 200).changes).toEqual(walk(4, SIDS, 200).changes);
    expect(walk(4, SIDS, 200).changes).not.toEqual(walk(5, SIDS, 200).changes);
  });

  it('only ever turns on what is off, and off what is on', () => {
    fc.assert(
      fc.property(fc.integer(), fc.subarray(SIDS), (seed, start) => {
        expect(walk(seed, start, 50).changes.length).toBe(50);
      }),
    );
  });

  it('keeps about three quarters online, wherever it starts, and moves everybody', () => {
    for (const start of [SIDS, []]) {
      const { changes, online } = walk(11, start, 2_000);
      expect(online.size).toBeGreaterThan(22);
      expect(online.size).toBeLessThan(38);
      expect(new Set(changes.map(({ sid }) => sid)).size).toBe(SIDS.length);
    }
  });

  it('has nothing to say where nobody takes part', () => {
    expect(createSchedule(1, []).next(() => true, 0)).toBeUndefined();
  });
});

describe('dueChanges', () => {
  it.each([
    [0, 10, 0, 0],
    [99, 10, 0, 0],
    [100, 10, 0, 1],
    [1_000, 10, 4, 6],
    [500, 10, 9, 0],
    [10_000, 0.5, 0, 5],
  ])('after %d ms at %d per second with %d done: %d', (elapsedMs, rate, done, due) => {
    expect(dueChanges(elapsedMs, rate, done)).toBe(due);
  });

  it('adds up to the rate however the ticks fall', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 500 })), fc.integer({ min: 1, max: 1_000 }), (steps, rate) => {
        let [elapsedMs, done] = [0, 0];
        for (const step of steps) {
          elapsedMs += step;
          done += dueChanges(elapsedMs, rate, done);
        }
        expect(done).toBe(Math.floor((elapsedMs / 1000) * rate));
      }),
    );
  });
});
