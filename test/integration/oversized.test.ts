/** Small batches that decompress to large records: each becomes a dead letter, and the records behind it are processed. */
import { randomUUID } from 'node:crypto';
import { CompressionTypes, Kafka, logLevel, type Message, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { partitionOf } from '../../src/edges/kafka/kafkajs/partitioner.ts';
import { TOPICS } from '../../src/topics.ts';
import { System, soon } from './support/system.ts';

const MIB = 1024 * 1024;
const system = new System();
const INPUTS = ['commands', 'presence', 'sensorEvents'] as const;
type Input = (typeof INPUTS)[number];
let producer: Producer;

/** By name: the records, and the number of their dead letters. */
const SENT = {
  'a value that dead-letter takes': { records: [{ value: Buffer.alloc(3 * MIB) }], deadLetters: 1 },
  'a value that dead-letter does not take': { records: [{ value: Buffer.alloc(6 * MIB) }], deadLetters: 1 },
  'a key that dead-letter does not take': {
    records: [{ key: Buffer.alloc(6 * MIB, 'k'), value: Buffer.from('x') }],
    deadLetters: 1,
  },
  'a header that dead-letter does not take': {
    records: [{ value: Buffer.from('x'), headers: { large: Buffer.alloc(6 * MIB) } }],
    deadLetters: 1,
  },
  'more headers than anybody writes': {
    records: [
      {
        value: Buffer.from('x'),
        headers: Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [`h${i}`, 'x'])),
      },
    ],
    deadLetters: 1,
  },
  'a batch with large records': { records: Array(4).fill({ value: Buffer.alloc(10 * MIB) }), deadLetters: 1 },
  'more records than a role is given at once': {
    records: Array(12_000).fill({ value: Buffer.from('x') }),
    deadLetters: 12_000,
  },
} satisfies Record<string, { records: Message[]; deadLetters: number }>;

const deadLettersOf = (input: Input) =>
  system.seen.deadLetters.filter(({ headers }) => String(headers['rt-source-topic']) === system.topics[input]);

/** A sensor whose records go to partition 0, as what is sent here does. */
const onPartition0 = (): string => {
  for (;;) {
    const id = randomUUID();
    if (partitionOf(id, 4) === 0) return id;
  }
};

async function deliver(): Promise<void> {
  const [sid, taskId] = [onPartition0(), onPartition0()];
  await system.presence({ sid });
  await system.command({ task_id: taskId, selector: `sid == "${sid}"` });
  await vi.waitFor(() => expect(system.sent(taskId, sid)).not.toEqual([]), soon);
  await system.answer({ sid, task_id: taskId });
  await vi.waitFor(() => expect(system.eventsOf(taskId, 'TASK_DONE', sid)).not.toEqual([]), soon);
}

describe('a packed batch', () => {
  beforeAll(async () => {
    await system.start(['api', 'projector', 'joiner', 'responder']);
    producer = new Kafka({ brokers: system.config.KAFKA_BROKERS, logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
  });
  afterAll(async () => {
    await producer?.disconnect();
    await system.stop();
  });

  it.each(Object.entries(SENT))(
    'with %s makes a dead letter on every topic, and the partition goes on',
    async (_, sent) => {
      const before = INPUTS.map((input) => deadLettersOf(input).length);
      for (const input of INPUTS)
        await producer.send({
          topic: system.topics[input],
          compression: CompressionTypes.GZIP,
          messages: sent.records.map((record: Message) => ({ key: null, ...record, partition: 0 })),
        });
      await deliver();
      for (const [i, input] of INPUTS.entries()) {
        await vi.waitFor(() => expect(deadLettersOf(input)).toHaveLength((before[i] ?? 0) + sent.deadLetters), soon);
        const deadLetter = deadLettersOf(input).at(-1);
        expect(String(deadLetter?.headers['rt-error-code'])).toMatch(
          /^(record_too_large|record_undecodable|schema_unknown)$/,
        );
        expect(deadLetter?.value?.length).toBeLessThan(TOPICS.deadLetter.maxMessageBytes);
      }
    },
  );

  it('leaves truncated dead letters that name the size of the value, and no lag', async () => {
    const cut = deadLettersOf('commands').filter(({ headers }) => String(headers['rt-truncated']) === 'true');
    expect(cut.map(({ headers }) => Number(headers['rt-original-size']))).toContain(6 * MIB);
    const metrics = async () => (await fetch(`${system.roles.get('projector')?.url}/metrics`)).text();
    await vi.waitFor(
      async () => expect(await metrics()).toMatch(/rt_lag_records\{topic="task-commands",partition="0"\} 0/),
      soon,
    );
  });

  it('does not block a rebuild after a loss of Redis', async () => {
    await system.redis.flushall();
    await deliver();
    await vi.waitFor(async () => {
      for (const name of system.roles.keys()) expect(await system.ready(name), name).toBe(true);
    }, soon);
    expect(system.restarts).toEqual([]);
  });
});
