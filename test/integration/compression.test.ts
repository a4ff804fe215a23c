/** Batches of Java's own producer in every compression: read whole, by the consumer that every role uses. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createKafka } from '../../src/edges/kafka/kafkajs/client.ts';
import { whileLeadersSettle } from '../../src/edges/kafka/kafkajs/leaders.ts';
import { startTail, type Tail } from '../../src/edges/kafka/tail.ts';
import { findJava } from '../../src/stack/local/java.ts';
import { kafkaLibs } from '../../src/stack/local/kafka.ts';
import { kafkaRuns } from './support/local.ts';
import { soon } from './support/system.ts';

const config = readConfig({ ...process.env, REDIS_URL: 'redis://unused' });
const log = pino({ level: 'silent' });
const topic = `it-${randomUUID()}-packed`;
const read: string[] = [];
let tail: Tail;

/** Text with long and short repeats and with none, so that every kind of reference occurs; more than one block. */
const lines = (codec: string): string[] =>
  Array.from({ length: 400 }, (_, i) => {
    const noise = Array.from({ length: 8 }, () => randomUUID()).join('');
    return `${codec} ${i} ${'ab'.repeat(i)} ${noise} ${noise} ${'x'.repeat(i % 90)}`;
  });

async function produce(codec: string, values: string[]): Promise<void> {
  const java = (await findJava(17))?.command as string;
  const classPath = join(await kafkaLibs(), 'libs', '*');
  const args = ['--bootstrap-server', config.KAFKA_BROKERS.join(','), '--topic', topic, '--compression-codec', codec];
  const jvm = ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', classPath];
  const batching = ['--command-property', 'linger.ms=500', '--command-property', 'batch.size=400000'];
  const run = promisify(execFile)(java, [...jvm, 'org.apache.kafka.tools.ConsoleProducer', ...args, ...batching]);
  run.child.stdin?.end(`${values.join('\n')}\n`);
  await run;
}

describe.runIf(kafkaRuns)('batches of another producer', () => {
  beforeAll(async () => {
    const kafka = createKafka(config, log);
    const admin = kafka.admin();
    await admin.connect();
    // Just after its creation a topic can have no leader. kafkajs then fails instead of asking again.
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: false });
    await whileLeadersSettle(() => admin.fetchTopicOffsets(topic));
    await admin.disconnect();
    const onRecords = (records: { value: Buffer | null }[]) =>
      void read.push(...records.map(({ value }) => `${value}`));
    tail = await startTail({ kafka, topic, from: 'beginning', log, onRecords });
  });

  afterAll(async () => {
    await tail?.stop();
  });

  it.each(['snappy', 'lz4', 'zstd'])(
    'in %s are read',
    async (codec) => {
      const values = lines(codec);
      await produce(codec, values);
      await vi.waitFor(() => expect(read.filter((value) => value.startsWith(`${codec} `))).toHaveLength(400), soon);
      expect(read.filter((value) => value.startsWith(`${codec} `))).toEqual(values);
    },
    60_000,
  );
});
