import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { clockOf } from '../../../src/async/clock.ts';
import { lagsOf, Progress, reportLag } from '../../../src/edges/kafka/progress.ts';
import { topicNames } from '../../../src/topics.ts';

const end = (low: number, high: number) => new Map([[0, { low, high }]]);
const lag = (progress: Progress, ends: ReturnType<typeof end>, start?: number) =>
  lagsOf(progress.held(), new Map([['presence', ends]]), () => start).get('presence 0')?.records;

describe('the number of records that a process has not handled', () => {
  const progress = new Progress();

  it('starts at the committed offset of its group, before it has read anything', () => {
    progress.assign('g', ['presence'], [0]);
    expect(lag(progress, end(0, 100), 40)).toBe(60);
    expect(lag(progress, end(30, 100))).toBe(70);
  });

  it('grows while a partition makes no progress', () => {
    progress.at('g', 'presence', 0, 90);
    expect([100, 150, 90].map((high) => lag(progress, end(0, high)))).toEqual([10, 60, 0]);
  });

  it('is that of the group with the largest lag', () => {
    progress.assign('other', ['presence'], [0]);
    progress.at('other', 'presence', 0, 20);
    expect(lag(progress, end(0, 100))).toBe(80);
    progress.leave('other');
    expect(lag(progress, end(0, 100))).toBe(10);
  });

  it('grows when a group goes back', () => {
    progress.at('g', 'presence', 0, 5);
    expect(lag(progress, end(0, 100))).toBe(95);
  });

  it('does not count partitions that others hold', () => {
    progress.assign('g', ['presence'], [1]);
    expect(lag(progress, end(0, 100))).toBeUndefined();
  });
});

it('is reported every two seconds, and withdrawn for a partition that is no longer held', async () => {
  const told: [string, number, number | null][] = [];
  let tick = () => {};
  const clock = clockOf({
    nowMs: () => 0,
    monoMs: () => 0,
    random: () => 0,
    after: (ms, work) => {
      expect(ms).toBe(2_000);
      tick = work;
      return () => {};
    },
  });
  const progress = new Progress();
  progress.assign('g', ['commands'], [0, 1]);
  progress.at('g', 'commands', 1, 8);
  const offsets = {
    ends: async () => new Map([0, 1].map((partition) => [partition, { low: 0, high: 10 }])),
    committed: async () => new Map([[0, 7]]),
  };
  const lag = reportLag({
    progress,
    offsets,
    clock,
    names: topicNames(''),
    log: pino({ level: 'silent' }),
    report: (...args) => void told.push(args),
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  await settled();
  progress.assign('g', ['commands'], [1]);
  tick();
  await settled();
  const stopped = lag.stop();
  tick();
  await stopped;
  expect(told).toEqual([
    ['commands', 0, 3],
    ['commands', 1, 2],
    ['commands', 0, null],
    ['commands', 1, 10],
  ]);
});
