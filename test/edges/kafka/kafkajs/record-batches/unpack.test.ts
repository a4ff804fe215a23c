/** Bytes that a producer packed, and bytes that nobody packed. test/integration/compression.test.ts has Java's own producers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unlz4 } from '../../../../../src/edges/kafka/kafkajs/record-batches/lz4.ts';
import { unsnappy } from '../../../../../src/edges/kafka/kafkajs/record-batches/snappy.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
const BOUND = 1_000;

/** A literal of `text`, then a copy of `length` bytes from `offset` before the end (2 bytes of offset). */
const snappy = (text: string, offset: number, length: number): Buffer => {
  const copy = [((length - 1) << 2) | 2, offset & 255, offset >> 8];
  return Buffer.from([text.length + length, (text.length - 1) << 2, ...Buffer.from(text), ...copy]);
};
const framed = (...blocks: Buffer[]): Buffer =>
  Buffer.concat([
    Buffer.from('82534e41505059000000000100000001', 'hex'),
    ...blocks.flatMap((block) => [Buffer.from([0, 0, 0, block.length]), block]),
  ]);

/** A frame with 64 KiB blocks; `flags` as in the format: 0x60 independent blocks, 0x40 dependent ones. */
const lz4 = (flags: number, ...blocks: Buffer[]): Buffer => {
  const size = (block: Buffer) => Buffer.from(Uint32Array.of(block.length).buffer);
  const head = [0x04, 0x22, 0x4d, 0x18, flags, 0x40, 0];
  return Buffer.concat([Buffer.from(head), ...blocks.flatMap((block) => [size(block), block]), Buffer.alloc(4)]);
};
const sequence = (text: string, offset: number, length: number): Buffer =>
  Buffer.from([(text.length << 4) | (length - 4), ...Buffer.from(text), offset & 255, offset >> 8]);
const last = (text: string): Buffer => Buffer.from([text.length << 4, ...Buffer.from(text)]);

describe('Snappy', () => {
  it.each([
    ['a copy', snappy('abcd', 4, 4), 'abcdabcd'],
    ['a copy that reaches into itself', snappy('ab', 1, 6), 'abbbbbbb'],
    ['frames', framed(snappy('ab', 2, 2), snappy('cd', 2, 4)), 'ababcdcdcd'],
    ['nothing', Buffer.from([0]), ''],
  ])('%s', (_, packed, text) => expect(unsnappy(packed, BOUND).toString()).toBe(text));

  it.each([
    ['a copy from before the beginning', snappy('ab', 3, 4)],
    ['a size that is not reached', Buffer.from([9, 0, 65])],
    ['a size above the bound', Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f])],
    ['a literal that is cut off', Buffer.from([9, 8 << 2, 65])],
    ['a frame that is cut off', framed(snappy('ab', 2, 2)).subarray(0, -1)],
  ])('refuses %s', (_, packed) => expect(() => unsnappy(packed, BOUND)).toThrow(RangeError));
});

describe('LZ4', () => {
  it.each([
    ['a copy', lz4(0x60, Buffer.concat([sequence('abcd', 4, 4), last('!')])), 'abcdabcd!'],
    ['a block that points into the one before', lz4(0x40, last('abcd'), sequence('x', 5, 5)), 'abcdxabcdx'],
  ])('%s', (_, packed, text) => expect(unlz4(packed, BOUND).toString()).toBe(text));

  it.each([
    ['another magic', Buffer.from('82534e41505059', 'hex')],
    ['a copy from before the beginning', lz4(0x60, sequence('ab', 3, 4))],
    ['an independent block that points into the one before', lz4(0x60, last('abcd'), sequence('x', 5, 5))],
    ['more than the bound', lz4(0x60, ...Array.from({ length: 300 }, () => last('abcd')))],
    ['a frame without its end', lz4(0x60, last('abcd')).subarray(0, -4)],
  ])('refuses %s', (_, packed) => expect(() => unlz4(packed, BOUND)).toThrow(RangeError));
});

it(`any bytes are unpacked within the bound, or refused (seed ${seed})`, () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((list) => Buffer.from(list));
  const unpack = (unpacker: typeof unsnappy, packed: Buffer): number => {
    try {
      return unpacker(packed, BOUND).length;
    } catch (error) {
      if (error instanceof RangeError) return 0;
      throw error;
    }
  };
  fc.assert(
    fc.property(bytes, (packed) => {
      const head = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0]);
      for (const given of [packed, framed(packed), Buffer.concat([head, packed]), lz4(0x40, packed)]) {
        expect(unpack(unsnappy, given)).toBeLessThanOrEqual(BOUND);
        expect(unpack(unlz4, given)).toBeLessThanOrEqual(BOUND);
      }
    }),
    { seed, numRuns: 3_000 },
  );
});
