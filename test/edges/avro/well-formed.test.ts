import avro, { type Schema } from 'avsc';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSchema } from '../../../src/edges/avro/schema-files.ts';
import { Malformed, wellFormedCheck } from '../../../src/edges/avro/well-formed.ts';

/** Every kind of type, and one that contains itself. */
const EVERYTHING: Schema = {
  type: 'record',
  name: 'Everything',
  fields: [
    { name: 'flag', type: 'boolean' },
    { name: 'small', type: 'int' },
    { name: 'ratio', type: 'float' },
    { name: 'exact', type: 'double' },
    { name: 'raw', type: 'bytes' },
    { name: 'four', type: { type: 'fixed', name: 'Four', size: 4 } },
    { name: 'colour', type: { type: 'enum', name: 'Colour', symbols: ['RED', 'BLUE'] } },
    { name: 'byName', type: { type: 'map', values: ['null', 'long'] } },
    { name: 'inner', type: ['null', 'Everything'] },
    { name: 'list', type: { type: 'array', items: 'string' } },
  ],
} as unknown as Schema;

const type = parseSchema(EVERYTHING);
const check = wellFormedCheck(type);

function accepts(checkOf: typeof check, bytes: Buffer): boolean {
  try {
    checkOf(bytes, 0);
    return true;
  } catch (error) {
    if (error instanceof Malformed) return false;
    throw error;
  }
}

const leaf = {
  flag: true,
  small: -7,
  ratio: 0.5,
  exact: 0.1,
  raw: Buffer.from('ab'),
  four: Buffer.from('abcd'),
  colour: 'BLUE',
  byName: { a: null, b: 2 ** 40 },
  inner: null,
  list: ['x', ''],
};

/** A zig-zag number as Avro writes it. */
const long = (n: number) => avro.Type.forSchema('long').toBuffer(n);

describe('the walk over the bytes of a record', () => {
  test('accepts a record of every type, and refuses each cut and each addition', () => {
    const bytes = type.toBuffer({ ...leaf, inner: leaf });
    expect(accepts(check, bytes)).toBe(true);
    for (let length = 0; length < bytes.length; length++) expect(accepts(check, bytes.subarray(0, length))).toBe(false);
    expect(accepts(check, Buffer.concat([bytes, Buffer.from([0])]))).toBe(false);
  });

  test('refuses a record that is nested deeper than any of ours can be', () => {
    let value = leaf as object;
    for (let i = 0; i < 100; i++) value = { ...leaf, inner: value };
    expect(accepts(check, type.toBuffer(value))).toBe(false);
  });

  test('whatever it accepts of changed records, avsc reads without an error', () => {
    const good = type.toBuffer({ ...leaf, inner: leaf });
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        (changes) => {
          const bytes = Buffer.from(good);
          for (const [at, byte] of changes) bytes[at] = byte;
          if (!accepts(check, bytes)) return;
          type.fromBuffer(bytes);
          accepted++;
        },
      ),
      { numRuns: 5_000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });
});

describe('an array', () => {
  const strings = wellFormedCheck(parseSchema({ type: 'array', items: 'string' }));
  const nulls = wellFormedCheck(parseSchema({ type: 'array', items: 'null' }));
  const empty = long(0);

  test.each([
    ['a count far beyond the bytes', strings, Buffer.concat([long(2 ** 52), empty])],
    ['a count of items that take no bytes', nulls, Buffer.concat([long(2 ** 52), empty])],
    ['a negative count far beyond the bytes', strings, Buffer.concat([long(-(2 ** 52)), long(0), empty])],
    ['the most negative count', strings, Buffer.from('ffffffffffffffffff0100', 'hex')],
    ['a block that says it is shorter', strings, Buffer.concat([long(-1), long(1), long(1), Buffer.from('a'), empty])],
    ['a string of negative length', strings, Buffer.concat([long(1), long(-1), empty])],
    ['a string longer than the record', strings, Buffer.concat([long(1), long(2 ** 50), empty])],
    ['a number of eleven bytes', strings, Buffer.from('8080808080808080808001', 'hex')],
    ['no end', strings, Buffer.concat([long(1), long(0)])],
  ])('with %s is refused', (_, checkOf, bytes) => {
    expect(accepts(checkOf, bytes)).toBe(false);
  });

  test('in blocks with their sizes is accepted', () => {
    const block = Buffer.concat([long(-1), long(2), long(1), Buffer.from('a')]);
    expect(accepts(strings, Buffer.concat([block, block, empty]))).toBe(true);
  });
});
