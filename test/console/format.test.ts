import { expect, test } from 'vitest';
import { shown, span } from '../../src/console/format.ts';

test.each([
  ['a change of direction', 'report\u202egpj.exe', 'report‹202E›gpj.exe'],
  ['an isolate', 'a\u2066b\u2069', 'a‹2066›b‹2069›'],
  ['a character without width', 'ad\u200bmin\u00ad', 'ad‹200B›min‹00AD›'],
  ['a control character of a terminal', 'a\u001b[31m\u0007', 'a‹001B›[31m‹0007›'],
  ['a tag character beyond the first plane', 'a\u{e0041}', 'a‹E0041›'],
])('%s is spelled out', (_, text, expected) => {
  expect(shown(text)).toBe(expected);
});

test.each(['שלום', 'مرحبا', '👩‍👩‍👧‍👦', 'می‌خواهم', '<b>&amp;</b>', 'two\nlines\tand'])(
  '%j is shown as it is',
  (text) => {
    expect(shown(text)).toBe(text);
  },
);

test('a long text is cut and ends with an ellipsis', () => {
  expect(shown('x'.repeat(300))).toBe('x'.repeat(300));
  expect(shown('x'.repeat(301))).toBe(`${'x'.repeat(300)} …`);
  expect(shown('abcdef', 3)).toBe('abc …');
});

test.each([
  [0, 'now'],
  [59_000, '59 s'],
  [60_000, '1 min'],
  [3_660_000, '1 h 1 min'],
  [90_000_000, '1 d 1 h'],
])('%d ms are %s', (ms, text) => {
  expect(span(ms)).toBe(text);
});
