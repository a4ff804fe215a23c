import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson } from '../../../src/api/http/json.ts';

const parse = (text: string) => parseJson(text, 'data', 'bad_request');
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

test.each<[string, string, string]>([
  ['no JSON', '{', 'bad_request'],
  ['nothing', '', 'bad_request'],
  ['too deep', nested(65), 'data_invalid'],
  ['far too deep', nested(1_000_000), 'data_invalid'],
  ['deep in objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, 'data_invalid'],
  ['a number beyond what a double holds', '{"a":1e999}', 'data_invalid'],
  ['NUL', '{"a":"\\u0000"}', 'data_invalid'],
  ['NUL in a key', '{"\\u0000":1}', 'data_invalid'],
  ['half a character', '["\\ud800"]', 'data_invalid'],
  ['__proto__', '{"a":{"__proto__":{}}}', 'data_invalid'],
])('%s is refused', (_name, text, code) => {
  expect(() => parse(text)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(/^data .*\.$/) }));
});

test('depth up to the bound, and everything that JSON writes of well-formed values, is taken', () => {
  expect(parse(nested(64))).toBeInstanceOf(Array);
  const key = fc.string({ unit: 'grapheme' }).filter((text) => text !== '__proto__' && !text.includes('\0'));
  const value = fc.jsonValue({ maxDepth: 5, noUnicodeString: false }).map((v) => JSON.parse(JSON.stringify(v)));
  fc.assert(
    fc.property(fc.dictionary(key, value), (fields) => {
      const text = JSON.stringify(fields);
      fc.pre(!/\\u0000|\\ud[89a-f]|__proto__/i.test(text));
      expect(parse(text)).toEqual(JSON.parse(text));
    }),
  );
});
