import { expect, test } from 'vitest';
import {
  type Draft,
  hindrance,
  nextStep,
  queueLabel,
  targetOf,
  ttlSeconds,
} from '../../../src/console/new-task/draft.ts';

const draft = (part: Partial<Draft> = {}): Draft => ({
  command: 'os_version',
  selector: '',
  context: '',
  ttl: '7',
  unit: 'd',
  ...part,
});

test.each([
  ['7', 'd', 604_800],
  ['90', 'm', 5_400],
  [' 2 ', 'h', 7_200],
  ['3650', 'd', 315_360_000],
  ['3651', 'd', Number.NaN],
  ['999999999', 'd', Number.NaN],
  ['0', 'm', Number.NaN],
  ['1.5', 'h', Number.NaN],
  ['-1', 'h', Number.NaN],
  ['', 'h', Number.NaN],
] as const)('%j %s are %d seconds', (ttl, unit, seconds) => {
  expect(ttlSeconds(draft({ ttl, unit }))).toBe(seconds);
});

test.each([
  ['', ''],
  [' \n', ''],
  ['*', '*'],
  [' plat == linux\n', 'plat == linux'],
])('the selector of %j is %j: an empty field is no selector', (selector, target) => {
  expect(targetOf(draft({ selector }))).toBe(target);
});

test.each<[string, Partial<Draft>, Parameters<typeof hindrance>[1], RegExp | null]>([
  ['no command', { command: ' ' }, 3, /^Enter a command line/],
  ['no target', { selector: '  ' }, 3, /^Choose the sensors/],
  ['no time', { ttl: '0' }, 3, /^Correct the time to live/],
  ['no count yet', {}, 'counting', /^Counting the sensors/],
  ['no count', {}, 'failed', /cannot be counted/],
  ['nothing missing, for no sensor', {}, 0, null],
  ['nothing missing, for many sensors', {}, 3_037, null],
])('with %s, the draft says what is missing', (_what, part, count, sentence) => {
  const found = hindrance(draft({ selector: '*', ...part }), count);
  if (sentence === null) expect(found).toBeNull();
  else expect(found).toMatch(sentence);
});

test('the button names the count', () => {
  expect([0, 1, 25, 3_037].map(queueLabel)).toEqual([
    'Queue (no sensor matches yet)',
    'Queue for 1 sensor',
    'Queue for 25 sensors',
    'Queue for 3,037 sensors',
  ]);
});

test.each([
  [25, 25, false, 'queue'],
  [26, 26, false, 'ask'],
  [26, 26, true, 'queue'],
  [3, 4, false, 'changed'],
  [3, 26, false, 'ask'],
  [26, 3, false, 'changed'],
  [26, 27, true, 'ask'],
  [26, 3, true, 'ask'],
  [0, 0, false, 'queue'],
] as const)('of %d shown, %d now, and the number typed: %s, the next step is %s', (shown, now, isConfirmed, step) => {
  expect(nextStep(shown, now, isConfirmed)).toBe(step);
});
