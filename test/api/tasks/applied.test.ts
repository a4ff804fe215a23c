import { describe, expect, test } from 'vitest';
import type { Reads } from '../../../src/api/reads.ts';
import { Applied } from '../../../src/api/tasks/applied.ts';
import { systemClock } from '../../../src/async/clock.ts';
import type { InFlight, OrgStatus } from '../../../src/projector/projection.ts';

const NOTHING_AHEAD = { onHint: () => () => {} };
const LEASE_MS = 80;

type Asked = Pick<Reads, 'status' | 'inFlight'>;

const status = (epoch: string, usable: boolean, offsets: [number, number][]): OrgStatus => ({
  epoch,
  usable,
  version: 1,
  begunAtMs: 0,
  nowMs: 0,
  commandOffsets: new Map(offsets),
  eventOffsets: new Map(),
  presenceOffsets: new Map(),
  livePartitions: new Set(),
});

/** Gives the answers in turn; the last one again and again. An Error is thrown. */
function inTurn<T>(...answers: (T | Error)[]) {
  let asked = 0;
  const ask = async (): Promise<T> => {
    const answer = answers[Math.min(asked, answers.length - 1)] as T | Error;
    asked += 1;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return Object.assign(ask, { asked: () => asked });
}

const waiting = (ask: () => Promise<(OrgStatus | null)[]>) =>
  new Applied({ status: ask } as unknown as Asked, NOTHING_AHEAD, LEASE_MS, systemClock);

describe('applied', () => {
  test('means usable, with the next offset of every partition beyond the command', async () => {
    const ask = inTurn(
      [null],
      new Error('away'),
      [
        status('e1', false, [
          [0, 9],
          [1, 9],
        ]),
      ],
      [status('e1', true, [[0, 6]])],
      [
        status('e1', true, [
          [0, 5],
          [1, 9],
        ]),
      ],
      [
        status('e2', true, [
          [0, 6],
          [1, 8],
        ]),
      ],
    );
    const logOffsets = [
      { partition: 0, offset: 5 },
      { partition: 1, offset: 7 },
    ];
    expect(await waiting(ask).applied('o', logOffsets, 2_000)).toBe('e2');
    expect(ask.asked()).toBe(6);
  });

  test('gives null when the bound is over, even if Redis never answers', async () => {
    const never = new Applied(
      { status: () => new Promise(() => {}) } as unknown as Asked,
      NOTHING_AHEAD,
      LEASE_MS,
      systemClock,
    );
    expect(await never.applied('o', [{ partition: 0, offset: 0 }], 30)).toBeNull();
    expect(await waiting(inTurn([null])).applied('o', [{ partition: 0, offset: 0 }], 30)).toBeNull();
  });

  test('many who wait share one question at a time', async () => {
    const ask = inTurn([status('e', true, [[0, 0]])], [status('e', true, [[0, 50]])]);
    const applied = waiting(ask);
    const all = Array.from({ length: 40 }, (_, offset) => applied.applied('o', [{ partition: 0, offset }], 2_000));
    expect(new Set(await Promise.all(all))).toEqual(new Set(['e']));
    expect(ask.asked()).toBeLessThanOrEqual(3);
  });

  test('a hint ends the wait for the next poll', async () => {
    let hint = (_oid: string) => {};
    const hints = {
      onHint: (listener: (oid: string) => void) => {
        hint = listener;
        return () => {};
      },
    };
    const asked: number[] = [];
    const reads = {
      status: async () => {
        asked.push(performance.now());
        setImmediate(() => hint('o'));
        return [status('e', true, [[0, asked.length > 20 ? 1 : 0]])];
      },
    };
    const applied = new Applied(reads as unknown as Asked, hints, LEASE_MS, systemClock);
    expect(await applied.applied('o', [{ partition: 0, offset: 0 }], 5_000)).toBe('e');
    expect((asked.at(-1) as number) - (asked[0] as number)).toBeLessThan(20 * 20);
  });
});

describe('claims are over', () => {
  const flying = (...entries: InFlight[]) => ({ ok: true as const, nowMs: 1_000, entries });
  const lost = { ok: false as const, why: 'lost' as const };
  const took = async (...answers: (object | Error)[]) => {
    const ask = inTurn(...answers);
    const applied = new Applied({ inFlight: ask } as unknown as Asked, NOTHING_AHEAD, LEASE_MS, systemClock);
    const startMs = performance.now();
    await applied.claimsOver('o', 'e');
    return { ms: performance.now() - startMs, asked: ask.asked() };
  };
  const b1 = { batch: 'b1', untilMs: 61_000 };
  const b2 = { batch: 'b2', untilMs: 61_000 };

  test('at once if no claim batch is in flight', async () => {
    expect((await took(flying())).asked).toBe(1);
  });

  test('when the claim batches that were in flight are gone; later ones do not count', async () => {
    const { asked } = await took(flying(b1), flying(b1, b2), flying(b2));
    expect(asked).toBe(3);
  });

  test('when their lease is over, though they are still listed', async () => {
    const short = { batch: 'b1', untilMs: 1_050 };
    const { ms } = await took(flying(short));
    // Timers of Node count whole milliseconds, and may come one early.
    expect(ms).toBeGreaterThanOrEqual(48);
    expect(ms).toBeLessThan(2_000);
  });

  test('an entry that vanishes with its epoch says nothing: its lease is waited out', async () => {
    const short = { batch: 'b1', untilMs: 1_070 };
    for (const loss of [lost, new Error('away'), { ok: false, why: 'epoch', epoch: 'f' }]) {
      const { ms } = await took(flying(short), loss, flying());
      expect(ms).toBeGreaterThanOrEqual(68);
    }
  });

  test('where nothing is known of them a whole lease is waited out', async () => {
    expect((await took(lost)).ms).toBeGreaterThanOrEqual(LEASE_MS - 2);
  });
});
