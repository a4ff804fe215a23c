import { describe, expect, it } from 'vitest';
import { RANGE, readBoolean, readFloat, readInteger } from '../../../src/selector/operators/read-value.ts';

describe('a value read as a number (Go strconv.ParseFloat)', () => {
  it.each([
    ['1.5e0', 1.5],
    ['+1', 1],
    ['.5', 0.5],
    ['5.', 5],
    ['1_000', 1000],
    ['0x1p4', 16],
    ['0X1.8P-1', 0.75],
    ['0x_1p0', 1],
    ['-0x.8p1', -1],
    ['inf', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['00', 0],
    ['1e-400', 0],
    ['0x1p-2000', 0],
    ['1e400', RANGE],
    ['0x1p1024', RANGE],
    ['0x1p99999999999999999999', RANGE],
  ])('%s', (text, expected) => {
    expect(readFloat(text)).toBe(expected);
  });

  it('reads nan, which equals nothing', () => {
    expect(readFloat('NaN')).toBeNaN();
  });

  it.each([
    '',
    ' 1',
    '1 ',
    '0x10',
    'abc',
    '1e',
    '.',
    '1__0',
    '_1',
    '1_',
    '1e_5',
    '0o7',
    '+-1',
    '١',
    '1,5',
    '+nan',
    '0xp1',
  ])('refuses %j', (text) => {
    expect(readFloat(text)).toBeNull();
  });
});

describe('a value read as a whole number (Go strconv.ParseInt, base 0)', () => {
  it.each([
    ['10', 10n],
    ['-0x1F', -31n],
    ['0b101', 5n],
    ['0o17', 15n],
    ['017', 15n],
    ['0', 0n],
    ['0_7', 7n],
    ['0x_f', 15n],
    ['-9223372036854775808', -(2n ** 63n)],
    ['9223372036854775808', RANGE],
  ])('%s', (text, expected) => {
    expect(readInteger(text)).toBe(expected);
  });

  it.each(['', '08', '1.0', '0x', '0b2', '1__0', '_1', 'x', '--1'])('refuses %j', (text) => {
    expect(readInteger(text)).toBeNull();
  });
});

describe('a value read as a boolean', () => {
  it('accepts exactly what Go accepts', () => {
    expect(['1', 't', 'T', 'TRUE', 'true', 'True'].map(readBoolean)).toEqual(Array(6).fill(true));
    expect(['0', 'f', 'F', 'FALSE', 'false', 'False'].map(readBoolean)).toEqual(Array(6).fill(false));
    expect(['', 'tRUE', 'yes', '1.0', ' true'].map(readBoolean)).toEqual(Array(5).fill(null));
  });
});
