import { describe, expect, it } from 'vitest';
import { type Clock, persist, retryDelayMs, systemClock } from '../../src/async/clock.ts';

describe('the wait before another try', () => {
  it.each([
    [1, 25, 50],
    [2, 50, 100],
    [6, 800, 1_600],
    [7, 1_000, 2_000],
    [8, 1_000, 2_000],
    [1_000_000, 1_000, 2_000],
  ])('before try %i lies between %i and %i ms', (attempt, least, most) => {
    expect(retryDelayMs(attempt, 0)).toBe(least);
    expect(retryDelayMs(attempt, 1)).toBe(most);
    for (let i = 0; i < 50; i += 1) {
      const drawn = retryDelayMs(attempt, i / 50);
      expect(drawn).toBeGreaterThanOrEqual(least);
      expect(drawn).toBeLessThanOrEqual(most);
    }
  });
});

describe('work that is repeated until it succeeds', () => {
  const clock: Clock = { ...systemClock, delay: async () => undefined };

  it('answers the first success, and tells each failure before it', async () => {
    const heard: unknown[] = [];
    let tries = 0;
    const work = async () => {
      tries += 1;
      if (tries < 3) throw new Error(`try ${tries}`);
      return tries;
    };
    expect(
      await persist(
        clock,
        () => true,
        work,
        (error) => heard.push(String(error)),
      ),
    ).toBe(3);
    expect(heard).toEqual(['Error: try 1', 'Error: try 2']);
  });

  it('gives up quietly once nobody wants the result', async () => {
    let wanted = true;
    let tries = 0;
    const work = async () => {
      tries += 1;
      wanted = false;
      throw new Error('no');
    };
    expect(
      await persist(
        clock,
        () => wanted,
        work,
        () => undefined,
      ),
    ).toBeUndefined();
    expect(tries).toBe(1);
  });
});

describe('work that runs again and again', () => {
  it('runs at once when it is asked to, never two at a time, and not after it was stopped', async () => {
    let [runs, under, most] = [0, 0, 0];
    let entered = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const loop = systemClock.every(3_600_000, async () => {
      runs += 1;
      under += 1;
      most = Math.max(most, under);
      entered.resolve();
      if (runs === 1) await go.promise;
      under -= 1;
    });
    await entered.promise;
    entered = Promise.withResolvers();
    loop.soon();
    loop.soon();
    go.resolve();
    await entered.promise;
    await loop.stop();
    expect([runs, most]).toEqual([2, 1]);
    loop.soon();
    await loop.stop();
    expect(runs).toBe(2);
  });
});
