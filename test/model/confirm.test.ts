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

test('a request for more than 25 sensors has to be confirmed', () => {
  expect(CONFIRM_ABOVE).toBe(25);
});
