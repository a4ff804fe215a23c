import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutByBytes, type OutRecord, sendWithoutRefused } from '../../../src/edges/kafka/producer.ts';
import { ApiError } from '../../../src/errors.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);

/** The bytes that a record puts on the wire, its framing left out. */
const payload = ({ key, value, headers = {} }: OutRecord): number =>
  (value?.length ?? 0) +
  Buffer.byteLength(key ?? '') +
  Object.entries(headers).reduce(
    (sum, [name, text]) => sum + Buffer.byteLength(name) + Buffer.byteLength(String(text)),
    0,
  );

const records: fc.Arbitrary<OutRecord> = fc.record({
  key: fc.oneof(fc.constant(null), fc.string({ unit: 'grapheme', maxLength: 60 })),
  value: fc.oneof(
    fc.constant(null),
    fc.nat(900).map((size) => Buffer.alloc(size)),
  ),
  headers: fc.dictionary(fc.string({ maxLength: 8 }), fc.string({ maxLength: 300 }), { maxKeys: 4 }),
});

describe(`requests that are cut (seed ${seed})`, () => {
  it('hold keys, values and headers within the bound, in order; only a larger record is alone', () => {
    fc.assert(
      fc.property(fc.array(records, { maxLength: 40 }), (all) => {
        const parts = [...cutByBytes(all, 1_000)];
        expect(parts.flat()).toEqual(all);
        for (const part of parts) {
          expect(part.length).toBeGreaterThan(0);
          if (part.length > 1)
            expect(part.reduce((sum, record) => sum + payload(record), 0)).toBeLessThanOrEqual(1_000);
        }
      }),
      { seed },
    );
  });

  it('keep many dead letters of small records below what the broker takes', () => {
    const deadLetter: OutRecord = { key: 'k', value: Buffer.alloc(10), headers: { 'rt-error': 'x'.repeat(1_000) } };
    const parts = [...cutByBytes(Array<OutRecord>(5_000).fill(deadLetter), 900_000)];
    expect(Math.max(...parts.map((part) => part.length)) * payload(deadLetter)).toBeLessThanOrEqual(900_000);
  });

  it('have no more parts than the bound needs', () => {
    const all = Array.from({ length: 100 }, () => ({ key: null, value: Buffer.alloc(36) }));
    expect([...cutByBytes(all, 1_000)].map((part) => part.length)).toEqual(Array(10).fill(10));
  });

  it('count both values of a header that occurs twice', () => {
    const twice = { key: null, value: null, headers: { h: ['x'.repeat(600), 'x'.repeat(600)] as unknown as string } };
    expect([...cutByBytes([twice, twice], 2_000)]).toHaveLength(2);
  });
});

describe('a record that the broker refuses permanently', () => {
  const named = (...keys: string[]): OutRecord[] => keys.map((key) => ({ key, value: null }));

  it('is returned, and all other records are sent once, in order', async () => {
    const sent: unknown[] = [];
    const send = async (part: OutRecord[]) => {
      if (part.some(({ key }) => String(key).startsWith('large'))) throw new ApiError('record_too_large', 'too large');
      sent.push(...part.map(({ key }) => key));
    };
    const refused = await sendWithoutRefused(send, named('a', 'b', 'large 1', 'c', 'd', 'large 2', 'e'));
    expect(refused).toEqual(named('large 1', 'large 2'));
    expect(sent).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('is distinguished from an unavailable broker', async () => {
    const away = async () => {
      throw new ApiError('unavailable', 'away');
    };
    await expect(sendWithoutRefused(away, named('a', 'b'))).rejects.toThrow('away');
  });
});

describe('produce requests', () => {
  it('are cut by bytes, in order, and a record that is larger is sent alone', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3_000)), (sizes) => {
        const records = sizes.map((size) => ({ key: 'k', value: Buffer.alloc(size) }));
        const parts = [...cutByBytes(records, 2_000)];
        expect(parts.flat()).toEqual(records);
        for (const part of parts) {
          const bytes = part.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
          if (part.length > 1) expect(bytes).toBeLessThanOrEqual(2_000);
        }
      }),
    );
  });
});
