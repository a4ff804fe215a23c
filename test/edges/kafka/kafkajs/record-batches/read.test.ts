import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  LIMITS,
  type Limits,
  type Message,
  readRecordSet,
} from '../../../../../src/edges/kafka/kafkajs/record-batches/read.ts';
import { batchOf, packed } from './packed.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
const require = createRequire(import.meta.url);
const Decoder = require('kafkajs/src/protocol/decoder.js');
const readOfKafkajs = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js');

const text = (value: string): { value: Buffer } => ({ value: Buffer.from(value) });
const values = (messages: readonly Message[]) => messages.map(({ value }) => String(value));

/** kafkajs reads a set behind its length. */
async function kafkajsReads(set: Buffer): Promise<Message[]> {
  const length = Buffer.alloc(4);
  length.writeInt32BE(set.length);
  return readOfKafkajs(new Decoder(Buffer.concat([length, set])));
}

const bytes = fc.uint8Array({ maxLength: 40 }).map((list) => Buffer.from(list));
const header = fc.oneof(bytes, fc.array(bytes, { minLength: 2, maxLength: 4 }));
const record = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.dictionary(fc.string({ minLength: 1, maxLength: 6 }), header, { maxKeys: 4, noNullPrototype: true }),
  timestampDelta: fc.oneof(fc.nat(1_000), fc.integer({ min: -10_000_000_000, max: 10_000_000_000 })),
});

const seen = ({ offset, timestamp, key, value, headers, isControlRecord, batchContext }: Message) => ({
  offset,
  timestamp,
  key,
  value,
  headers: Object.entries(headers),
  isControlRecord,
  producerId: batchContext.producerId,
  inTransaction: batchContext.inTransaction,
});

describe(`record batches (seed ${seed})`, () => {
  it('are read as kafkajs reads them, compressed or not, whatever the records hold', async () => {
    const batch = fc.record({
      records: fc.array(record, { minLength: 1, maxLength: 8 }),
      codec: fc.constantFrom('none', 'gzip'),
      transactional: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 4 }), async (batches) => {
        const made = await Promise.all(
          batches.map(async ({ records, codec, transactional }, i) => {
            const options = { firstOffset: 10_000_000_000 + i * 100, firstTimestamp: 1_700_000_000_000 };
            const plain = await batchOf(records, { ...options, transactional, producerId: i });
            return codec === 'gzip' ? packed(plain, codec) : plain;
          }),
        );
        const set = Buffer.concat(made);
        expect((await readRecordSet(set)).map(seen)).toEqual((await kafkajsReads(set)).map(seen));
      }),
      { seed, numRuns: 200 },
    );
  });

  it('keep a header named __proto__ as a header', async () => {
    const headers = Object.fromEntries([['__proto__', Buffer.from('x')]]);
    const [message] = await readRecordSet(await batchOf([{ headers }]));
    expect(Object.entries(message?.headers ?? {})).toEqual([['__proto__', Buffer.from('x')]]);
  });

  it('that the fetch has truncated are left for the next one', async () => {
    const [one, two] = [await batchOf([text('a')]), await batchOf([text('b')], { firstOffset: 1 })];
    expect(values(await readRecordSet(Buffer.concat([one, two.subarray(0, -1)])))).toEqual(['a']);
  });
});

describe('a batch that is beyond the limits', () => {
  const limits: Limits = { ...LIMITS, batchBytes: 10_000, batchRecords: 50 };
  const around = async (bad: Buffer) => {
    const [before, after] = [await batchOf([text('before')]), await batchOf([text('after')], { firstOffset: 900 })];
    return readRecordSet(Buffer.concat([before, bad, after]), limits);
  };

  it.each(['gzip', 'zstd'] as const)('in %s is one refusal at its last offset, and the rest is read', async (codec) => {
    const bomb = await packed(await batchOf([text('x'), { value: Buffer.alloc(20_000) }], { firstOffset: 7 }), codec);
    const messages = await around(bomb);
    expect(messages.map(({ offset, refusal }) => [offset, refusal?.code])).toEqual([
      ['0', undefined],
      ['8', 'record_too_large'],
      ['900', undefined],
    ]);
    expect(messages[1]?.value).toEqual(bomb);
    expect(messages[1]?.refusal?.message).toBe(
      `The ${codec} batch with the offsets 7 to 8 unpacks to more than 10000 bytes. None of its records is read.`,
    );
  });

  it('by the number of its records is not parsed', async () => {
    const many = await batchOf(
      Array.from({ length: 51 }, () => text('x')),
      { firstOffset: 7 },
    );
    const messages = await around(many);
    expect(messages.map(({ offset, refusal }) => [offset, refusal?.code])).toEqual([
      ['0', undefined],
      ['57', 'record_too_large'],
      ['900', undefined],
    ]);
  });

  it('belongs to its transaction, so that it is left out if that is aborted', async () => {
    const options = { firstOffset: 7, transactional: true, producerId: 5 };
    const bomb = await packed(await batchOf([{ value: Buffer.alloc(20_000) }], options), 'gzip');
    expect((await around(bomb))[1]?.batchContext).toMatchObject({ inTransaction: true, producerId: '5' });
  });

  it('by the headers of one record refuses this record alone', async () => {
    const headers = Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`h${i}`, Buffer.from('v')]));
    const messages = await readRecordSet(await batchOf([text('a'), { ...text('b'), headers }, text('c')]));
    expect(messages.map(({ refusal }) => refusal?.code)).toEqual([undefined, 'record_too_large', undefined]);
    expect(values(messages)).toEqual(['a', 'b', 'c']);
  });
});

it('data of a fetch above the limits is left for the next one, but one batch is always read', async () => {
  const batch = (firstOffset: number) =>
    batchOf(
      Array.from({ length: 10 }, () => text('x'.repeat(100))),
      { firstOffset },
    );
  const set = Buffer.concat(await Promise.all([batch(0), batch(10), batch(20)]));
  const last = async (change: Partial<Limits>) => (await readRecordSet(set, { ...LIMITS, ...change })).at(-1)?.offset;
  expect(await last({ fetchRecords: 1 })).toBe('9');
  expect(await last({ fetchRecords: 11 })).toBe('19');
  expect(await last({ fetchBytes: 1 })).toBe('9');
  expect(await last({ fetchBytes: 1_500 })).toBe('19');
  expect(await last({})).toBe('29');
});

it('a corrupt batch is one refusal, whatever is corrupt', async () => {
  const good = await batchOf([text('a'), text('b')]);
  const gzipped = await packed(good, 'gzip');
  const changed = (batch: Buffer, at: number, byte: number): Buffer => {
    const copy = Buffer.from(batch);
    copy[at] = byte;
    return copy;
  };
  for (const bad of [
    changed(gzipped, 61, 0), // no gzip
    changed(gzipped, 22, 7), // a compression that nobody knows
    changed(good, 60, 9), // more records than there are
    changed(good, 61, 255), // a record of another length
  ]) {
    const messages = await readRecordSet(Buffer.concat([bad, await batchOf([text('c')], { firstOffset: 2 })]));
    expect(messages.map(({ offset, refusal }) => [offset, refusal?.code])).toEqual([
      ['1', 'record_undecodable'],
      ['2', undefined],
    ]);
  }
});

it(`any bytes are read, refused, or not a batch (seed ${seed})`, async () => {
  const batch = await packed(await batchOf([text('abc'), { headers: { h: Buffer.from('v') } }]), 'gzip');
  const plain = await batchOf([text('abc'), { headers: { h: Buffer.from('v') } }]);
  const places = fc.record({ at: fc.nat(), byte: fc.nat(255), of: fc.constantFrom(batch, plain) });
  await fc.assert(
    fc.asyncProperty(places, async ({ at, byte, of }) => {
      const copy = Buffer.from(of);
      copy[at % copy.length] = byte;
      const read = await readRecordSet(copy).catch((error: Error) => error);
      if (read instanceof Error) expect(read.message).toBe('a record batch is shorter than its header');
      else expect(read.length).toBeLessThanOrEqual(LIMITS.batchRecords);
    }),
    { seed, numRuns: 2_000 },
  );
});
