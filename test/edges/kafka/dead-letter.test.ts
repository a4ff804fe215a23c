import { describe, expect, it } from 'vitest';
import { DEAD_LETTER_MAX_BYTES, deadLetterRecord, smallerMaxBytes } from '../../../src/edges/kafka/dead-letter.ts';
import type { InRecord } from '../../../src/ports.ts';
import { TOPICS } from '../../../src/topics.ts';

const record = (change: Partial<InRecord>): InRecord => ({
  topic: 'task-commands',
  partition: 3,
  offset: 41,
  timestampMs: 5,
  key: Buffer.from('k'),
  value: Buffer.from('v'),
  headers: {},
  ...change,
});
const deadLetterOf = (change: Partial<InRecord>, maxBytes?: number) =>
  deadLetterRecord({ record: record(change), code: 'record_invalid', message: 'x'.repeat(5_000) }, 77, maxBytes);

/** All that goes over the wire, framing left out. */
const sizeOf = ({ key, value, headers = {} }: ReturnType<typeof deadLetterOf>): number =>
  Buffer.byteLength(key ?? '') +
  (value?.length ?? 0) +
  Object.entries(headers).reduce((sum, [name, given]) => sum + name.length + Buffer.byteLength(String(given)), 0);

describe('a dead letter that fits', () => {
  it.each([
    ['as large as can be', { value: Buffer.alloc(DEAD_LETTER_MAX_BYTES - 1) }],
    ['without a value', { value: null }],
    ['without a key', { key: null }],
    ['with headers of its own', { headers: { a: 'x', b: ['y', 'z'] } }],
  ])('is untouched and says nothing of a cut: %s', (_, change) => {
    const { key, value, headers } = deadLetterOf(change);
    const whole = record(change);
    expect([key, value].map((cut) => cut?.length)).toEqual([whole.key, whole.value].map((given) => given?.length));
    expect(value?.equals(whole.value as Buffer) ?? whole.value === null).toBe(true);
    expect(headers).not.toHaveProperty('rt-truncated');
    expect(headers).toMatchObject({ ...record(change).headers, 'rt-source-offset': '41' });
  });

  it('ignores headers of its record that have the names of our headers', () => {
    const { headers } = deadLetterOf({
      headers: { 'rt-truncated': 'true', 'rt-source-offset': '7', 'rt-redriven-from': '0:1' },
    });
    expect(headers).not.toHaveProperty('rt-truncated');
    expect(headers).toMatchObject({ 'rt-source-offset': '41', 'rt-redriven-from': '0:1' });
  });
});

describe('a dead letter that does not fit', () => {
  const large = Buffer.alloc(6 * 1024 * 1024, 'x');

  it.each([
    ['value', { value: large }],
    ['key', { key: large }],
    ['header', { headers: { big: large, small: 'y' } }],
    ['value, key and header', { value: large, key: large, headers: { big: [large, large] } }],
  ])('is cut, and says so: too large a %s', (_, change) => {
    const deadLetter = deadLetterOf(change);
    expect(sizeOf(deadLetter)).toBeLessThanOrEqual(TOPICS.deadLetter.maxMessageBytes - 32_768);
    expect(deadLetter.headers).toMatchObject({
      'rt-truncated': 'true',
      'rt-original-size': String(record(change).value?.length),
      'rt-source-topic': 'task-commands',
    });
  });

  it('keeps the beginning of the value', () => {
    const value = Buffer.from('abcdef'.repeat(1_000_000));
    const deadLetter = deadLetterOf({ value });
    expect(deadLetter.value?.equals(value.subarray(0, deadLetter.value.length))).toBe(true);
    expect(deadLetter.value?.length).toBeGreaterThan(4_000_000);
  });

  it('becomes smaller a few times, down to the position of the record and the reason', () => {
    const sizes: number[] = [];
    for (let max: number | null = DEAD_LETTER_MAX_BYTES; max !== null && sizes.length < 20; max = smallerMaxBytes(max))
      sizes.push(sizeOf(deadLetterOf({ value: large, key: large, headers: { large } }, max)));
    expect(sizes.length).toBeLessThan(10);
    expect(sizes.at(-1)).toBeLessThan(1_500);
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
  });
});

it('a dead letter for an unread batch is marked as not being a record', () => {
  const refusal = { code: 'record_too_large', message: 'why' } as const;
  const { value, headers } = deadLetterOf({ value: Buffer.from('packed'), refusal });
  expect(value).toEqual(Buffer.from('packed'));
  expect(headers).toMatchObject({ 'rt-truncated': 'true', 'rt-original-size': '6' });
});
