import { describe, expect, it } from 'vitest';
import type { Codec } from '../../../src/edges/avro/codec.ts';
import { createOutbox } from '../../../src/edges/kafka/outbox.ts';
import type { OutRecord, Producer } from '../../../src/edges/kafka/producer.ts';
import type { SensorState, TaskDispatch, TaskEvent } from '../../../src/model/records.ts';
import type { InRecord } from '../../../src/ports.ts';

/** Every producer notes its name, and what the broker `takes`; the codec's bytes are the record's name. */
function world(takes: (topic: string, record: OutRecord) => boolean = () => true) {
  const sent: { by: string; topic: string; records: OutRecord[] }[] = [];
  const told: [string, number][] = [];
  const producer = (by: string): Producer => ({
    send: async (topic, records) => void sent.push({ by, topic, records }),
    sendWhatFits: async (topic, records) => {
      const taken = records.filter((record) => takes(topic, record));
      if (taken.length > 0) sent.push({ by, topic, records: taken });
      return records.filter((record) => !taken.includes(record));
    },
    append: async () => [],
    stop: async () => undefined,
  });
  const codec = { encode: (name: string) => Buffer.from(name) } as unknown as Codec;
  const producers = { durable: producer('durable'), once: producer('once'), quick: producer('quick') };
  const onRefused = (topic: string, records: number) => void told.push([topic, records]);
  return { sent, told, outbox: createOutbox({ ...producers, codec, prefix: 'p-', nowMs: () => 77, onRefused }) };
}

const source: InRecord = {
  topic: 'p-task-commands',
  partition: 3,
  offset: 41,
  key: Buffer.from([0, 255]),
  value: Buffer.from([1, 254]),
  timestampMs: 5,
  headers: { trace: Buffer.from('t'), absent: undefined, several: ['a', 'b'] },
};

describe('what the roles write', () => {
  it('carries a refused record unchanged, with its position and the reason', async () => {
    const { outbox, sent } = world();
    await outbox.deadLetters([{ record: source, code: 'ttl_invalid', message: 'x'.repeat(5_000) }]);
    expect(sent).toEqual([
      {
        by: 'durable',
        topic: 'p-dead-letter',
        records: [
          {
            key: source.key,
            value: source.value,
            headers: {
              trace: Buffer.from('t'),
              several: ['a', 'b'],
              'rt-source-topic': 'p-task-commands',
              'rt-source-partition': '3',
              'rt-source-offset': '41',
              'rt-error-code': 'ttl_invalid',
              'rt-error': 'x'.repeat(1_000),
              'rt-failed-at': '77',
            },
          },
        ],
      },
    ]);
  });

  it('makes a dead letter smaller until the broker takes it', async () => {
    const { outbox, sent } = world((_, { value }) => (value?.length ?? 0) <= 100_000);
    const deadLetter = { code: 'record_invalid', message: 'why' } as const;
    const [large, small] = [{ ...source, value: Buffer.alloc(500_000, 'x') }, source];
    await outbox.deadLetters([large, small].map((record) => ({ ...deadLetter, record })));
    expect(sent.map(({ records }) => records.map(({ value }) => value?.length))).toEqual([[2], [64_479]]);
    expect(sent[1]?.records[0]?.headers).toMatchObject({ 'rt-truncated': 'true', 'rt-original-size': '500000' });
  });

  it('keeps little of a record that is refused for its size', async () => {
    const { outbox, sent } = world();
    const record = { ...source, value: Buffer.alloc(500_000, 'x') };
    await outbox.deadLetters([{ record, code: 'record_too_large', message: 'why' }]);
    const [deadLetter] = sent[0]?.records ?? [];
    expect(deadLetter?.value?.length).toBeLessThanOrEqual(65_536);
    expect(deadLetter?.headers).toMatchObject({ 'rt-truncated': 'true', 'rt-original-size': '500000' });
  });

  it('rejects when dead-letter refuses even the smallest dead letter', async () => {
    const { outbox } = world(() => false);
    const deadLetter = { record: source, code: 'ttl_invalid', message: '' } as const;
    await expect(outbox.deadLetters([deadLetter])).rejects.toThrow(
      'p-dead-letter refuses even the smallest dead letter',
    );
  });

  it('puts a record of ours that the broker refuses permanently on dead-letter, reports it, and sends the rest', async () => {
    const { outbox, sent, told } = world((topic, { key }) => topic !== 'p-task-dispatch' || key !== 'large');
    await outbox.dispatches([{ sid: 'small' }, { sid: 'large' }] as TaskDispatch[]);
    expect(sent.map(({ by, topic, records }) => [by, topic, records.map(({ key }) => String(key))])).toEqual([
      ['once', 'p-task-dispatch', ['small']],
      ['durable', 'p-dead-letter', ['large']],
    ]);
    expect(sent[1]?.records[0]?.headers).toMatchObject({
      'rt-source-topic': 'p-task-dispatch',
      'rt-source-offset': '-1',
      'rt-error-code': 'record_too_large',
    });
    expect(told).toEqual([['p-task-dispatch', 1]]);
  });

  it('sends dispatches by the producer that never retries', async () => {
    const { outbox, sent } = world();
    await outbox.dispatches([{ sid: 's' } as TaskDispatch]);
    expect(sent).toEqual([
      { by: 'once', topic: 'p-task-dispatch', records: [{ key: 's', value: Buffer.from('TaskDispatch') }] },
    ]);
  });

  it('writes task events with their task as key and the epoch of the projection that has them', async () => {
    const { outbox, sent } = world();
    await outbox.taskEvents([{ event: { task_id: 'a' } as TaskEvent, epoch: 'e1' }]);
    expect(sent[0]).toMatchObject({
      topic: 'p-task-events',
      records: [{ key: 'a', headers: { 'rt-epoch': 'e1' } }],
    });
  });

  it("writes a sensor's state to the partition of its presence, and a tombstone for a forgotten sensor", async () => {
    const { outbox, sent } = world();
    await outbox.sensorStates([
      { oid: 'o', sid: 's', partition: 5, state: {} as SensorState },
      { oid: 'o', sid: 't', partition: 6, state: null },
    ]);
    expect(sent[0]?.records).toEqual([
      { key: 'o/s', value: Buffer.from('SensorState'), partition: 5 },
      { key: 'o/t', value: null, partition: 6 },
    ]);
  });

  it('sends no request when there is nothing to write', async () => {
    const { outbox, sent } = world();
    const all = [outbox.dispatches([]), outbox.taskEvents([]), outbox.sensorStates([]), outbox.deadLetters([])];
    await Promise.all([...all, outbox.settings([])]);
    expect(sent).toEqual([]);
  });
});
