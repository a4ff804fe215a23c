import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../../src/config.ts';
import { shareOut } from '../../../../src/edges/kafka/kafkajs/assigner.ts';
import { cutByBytes } from '../../../../src/edges/kafka/producer.ts';
import { faultsOf } from '../../../../src/edges/kafka/topic-faults.ts';

const members = fc.uniqueArray(fc.record({ id: fc.string({ minLength: 1 }), owned: fc.array(fc.nat(40)) }), {
  minLength: 1,
  maxLength: 9,
  selector: ({ id }) => id,
});

describe('partitions', () => {
  it('are shared out whole, once each, and evenly', () => {
    fc.assert(
      fc.property(members, fc.nat(40), (all, count) => {
        const partitions = Array.from({ length: count }, (_, n) => n);
        const shares = [...shareOut(all, partitions).values()];
        expect(shares.flat().toSorted((a, b) => a - b)).toEqual(partitions);
        const sizes = shares.map((share) => share.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('stay where they are when nobody comes or goes, and only a share moves to who comes', () => {
    const partitions = [0, 1, 2, 3, 4, 5, 6, 7];
    const first = shareOut(
      [
        { id: 'a', owned: [] },
        { id: 'b', owned: [] },
      ],
      partitions,
    );
    const owned = [...first].map(([id, share]) => ({ id, owned: share }));
    expect(shareOut(owned, partitions)).toEqual(first);
    const third = shareOut([...owned, { id: 'c', owned: [] }], partitions);
    for (const { id, owned: had } of owned) expect(had).toEqual(expect.arrayContaining(third.get(id) ?? []));
  });
});

describe('produce requests', () => {
  it('are cut by bytes, in order, and a record that is larger goes alone', () => {
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

describe('a topic that exists', () => {
  const config = readConfig({ KAFKA_BROKERS: 'b:1', REDIS_URL: 'redis://r' });
  it('is said to keep records for too short a time, or by the wrong clock', () => {
    const fault = (found: Record<string, string>) => faultsOf('task-commands', 'commands', found, config).join(' ');
    expect(fault({ 'retention.ms': '604800000', 'message.timestamp.type': 'LogAppendTime' })).toContain('retention.ms');
    expect(fault({ 'retention.ms': '-1', 'message.timestamp.type': 'CreateTime' })).toContain('LogAppendTime');
    expect(fault({ 'retention.ms': '-1', 'message.timestamp.type': 'LogAppendTime', 'cleanup.policy': 'delete' })).toBe(
      '',
    );
    expect(fault({ 'cleanup.policy': 'compact' })).toContain('cleanup.policy');
  });
});
