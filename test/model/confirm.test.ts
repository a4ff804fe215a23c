import { expect, test } from 'vitest';
import { CONFIRM_ABOVE, isNumberTyped } from '../../src/model/confirm.ts';

test.each([
  ['3037', true],
  ['3,037', true],
  [' 3 037 ', true],
  ['3.037', false],
  ['03037', false],
  ['3038', false],
  ['', false],
  ['yes', false],
])('%j is the number 3037: %s', (text, isTyped) => {
  expect(isNumberTyped(text, 3_037)).toBe(isTyped);
});

test('the number is asked for above 25 sensors', () => {
  expect(CONFIRM_ABOVE).toBe(25);
});
