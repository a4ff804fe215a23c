import fc from 'fast-check';
import { Partitioners, type PartitionMetadata } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { byKey, murmur2, partitionOf } from '../../../../src/edges/kafka/kafkajs/partitioner.ts';

const metadata = (count: number): PartitionMetadata[] =>
  Array.from({ length: count }, (_, partitionId) => ({
    partitionId,
    leader: 0,
    isr: [],
    replicas: [],
    offlineReplicas: [],
    partitionErrorCode: 0,
  }));

describe('the partition of a key', () => {
  // From the tests of Apache Kafka's Java client (UtilsTest.testMurmur2).
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('%s hashes as Java does it', (key, expected) => {
    expect(murmur2(key)).toBe(expected);
  });

  it('is that of kafkajs, for any key and any number of partitions', () => {
    const reference = Partitioners.DefaultPartitioner();
    const keys = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.uint8Array({ maxLength: 80 }).map(Buffer.from),
    );
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 64 }), (key, count) => {
        const args = { topic: 't', message: { key, value: null }, partitionMetadata: metadata(count) };
        expect(partitionOf(key, count)).toBe(reference(args));
        expect(byKey()(args)).toBe(reference(args));
      }),
    );
  });

  it('is not used for a record with a partition', () => {
    const message = { key: 'foobar', value: null, partition: 3 };
    expect(byKey()({ topic: 't', message, partitionMetadata: metadata(8) })).toBe(3);
  });

  it('changes from record to record without a key', () => {
    const partitioner = byKey();
    const next = () => partitioner({ topic: 't', message: { key: null, value: null }, partitionMetadata: metadata(4) });
    expect(new Set([next(), next(), next(), next()]).size).toBe(4);
  });
});
