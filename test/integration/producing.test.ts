import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { type EachMessagePayload, Kafka, logLevel, Partitioners } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCodec } from '../../src/edges/avro/codec.ts';
import { RECORD_NAMES, type RecordName } from '../../src/model/records.ts';
import { packageRoot } from '../../src/stack/paths.ts';
import { pythonWithPackages } from './python.ts';

const run = promisify(execFile);

/** Many, so that another partitioner would hit the right one by chance hardly ever. */
const PARTITIONS = 64;
const OID = '8cbe27f4-bfa1-4afb-ba19-138cd51389cd';
const prefix = `producing-${randomUUID()}-`;
const topics = { commands: `${prefix}task-commands`, presence: `${prefix}sensor-presence` };

const brokers = process.env.KAFKA_BROKERS!;
const kafka = new Kafka({ brokers: brokers.split(','), clientId: 'producing-test', logLevel: logLevel.NOTHING });

beforeAll(async () => {
  const admin = kafka.admin();
  await admin.connect();
  const wanted = Object.values(topics).map((topic) => ({ topic, numPartitions: PARTITIONS, replicationFactor: 1 }));
  await admin.createTopics({ topics: wanted, waitForLeaders: true });
  await admin.disconnect();
});

afterAll(async () => {
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: Object.values(topics) });
  await admin.disconnect();
});

/** The one Python program of the page. */
function programOfThePage(): string {
  const blocks = [...readFileSync(`${packageRoot}/docs/producing.md`, 'utf8').matchAll(/^```python\n(.*?)^```$/gms)];
  expect(blocks).toHaveLength(1);
  return blocks[0]![1]!;
}

/** Reads both topics from their beginning until each has given one record. */
async function firstRecords(): Promise<Map<string, EachMessagePayload>> {
  const consumer = kafka.consumer({ groupId: `${prefix}reader` });
  const found = new Map<string, EachMessagePayload>();
  const complete = Promise.withResolvers<void>();
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: Object.values(topics), fromBeginning: true });
    await consumer.run({
      eachMessage: async (payload) => {
        found.set(payload.topic, payload);
        if (found.size === 2) complete.resolve();
      },
    });
    await complete.promise;
  } finally {
    await consumer.disconnect();
  }
  return found;
}

/** Where kafkajs, and with it our own producers, would put this key. */
function partitionOf(topic: string, key: string): number {
  const partitionMetadata = Array.from({ length: PARTITIONS }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 1,
    replicas: [1],
    isr: [1],
  }));
  return Partitioners.DefaultPartitioner()({ topic, partitionMetadata, message: { key, value: null } });
}

test('the Python program of docs/producing.md publishes a task and a presence that decode, where kafkajs would put them', async (ctx) => {
  const python = await pythonWithPackages();
  if ('missing' in python) return ctx.skip(`needs ${python.missing}`);

  const env = { ...process.env, KAFKA_BROKERS: brokers, KAFKA_TOPIC_PREFIX: prefix, RT_OID: OID };
  const { stdout } = await run(python.command, ['-c', programOfThePage()], { cwd: packageRoot, env, timeout: 60_000 });
  const taskId = /^queued task (\S+)$/m.exec(stdout)?.[1];
  expect(taskId).toBeDefined();

  const records = await firstRecords();
  const codec = createCodec({
    topicOf: Object.fromEntries(RECORD_NAMES.map((name) => [name, name])) as Record<RecordName, string>,
  });

  const command = records.get(topics.commands)!;
  expect(command.message.key?.toString()).toBe(taskId);
  expect(command.partition).toBe(partitionOf(topics.commands, taskId!));
  expect(codec.decode('TaskCommand', command.message.value!)).toMatchObject({
    action: 'TASK',
    oid: OID,
    task_id: taskId,
    task: 'os_version',
    selector: "sid == 'sensor-123-abc'",
    ttl: 3600,
    untask_selector: null,
  });

  const presence = records.get(topics.presence)!;
  expect(presence.message.key?.toString()).toBe('sensor-123-abc');
  expect(presence.partition).toBe(partitionOf(topics.presence, 'sensor-123-abc'));
  expect(codec.decode('SensorPresence', presence.message.value!)).toMatchObject({
    event: 'CONNECTED',
    oid: OID,
    sid: 'sensor-123-abc',
    sensor: { hostname: 'web-01', tags: ['production'], plat: 0, enroll: null },
    add_tags: [],
  });
}, 180_000);
