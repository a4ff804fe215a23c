import { expect, test } from 'vitest';
import { Failures } from '../../../src/api/auth/failures.ts';

const MINUTE_MS = 60_000;
let nowMs = 1_000;
const begin = (placesMax = 3) => new Failures(MINUTE_MS, placesMax, () => nowMs);

test('a window begins with the first failure and ends after its time', () => {
  const failures = begin();
  failures.add('a');
  nowMs += 40_000;
  failures.add('a');
  expect(failures.of('a')).toEqual({ failures: 2, leftMs: 20_000 });
  nowMs += 20_000;
  expect(failures.of('a')).toEqual({ failures: 0, leftMs: 0 });
  failures.add('a');
  expect(failures.of('a')).toEqual({ failures: 1, leftMs: MINUTE_MS });
});

test('a higher count of other processes is taken over', () => {
  const failures = begin();
  failures.add('a');
  failures.learn('a', 7, 5_000);
  expect(failures.of('a')).toEqual({ failures: 7, leftMs: 5_000 });
  failures.learn('a', 6, 50_000);
  failures.add('a');
  expect(failures.of('a')).toEqual({ failures: 8, leftMs: 5_000 });
});

test('above the limit the oldest subjects are forgotten', () => {
  const failures = begin();
  for (const subject of ['a', 'b', 'c', 'd']) failures.add(subject);
  expect(['a', 'b', 'c', 'd'].map((subject) => failures.of(subject).failures)).toEqual([0, 1, 1, 1]);
});

test('a subject whose window restarts is no longer the oldest', () => {
  const failures = begin();
  failures.add('a');
  nowMs += MINUTE_MS;
  for (const subject of ['b', 'a', 'c', 'd']) failures.add(subject);
  expect(['a', 'b', 'c', 'd'].map((subject) => failures.of(subject).failures)).toEqual([1, 0, 1, 1]);
});
