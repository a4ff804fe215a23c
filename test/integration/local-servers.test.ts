// Kafka and Redis as local processes: what is written survives a kill -9 and a stop, on the same folder and port. Needs Java and
// Maven (or what they fetched before), whatever the other tests run on.

import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, afterEach, expect, test } from 'vitest';
import { startLocalKafka } from '../../src/stack/local/kafka.ts';
import { startLocalRedis } from '../../src/stack/local/redis.ts';
import type { LocalServer } from '../../src/stack/local/server.ts';
import { kafkaAnswers, redisAnswers } from '../../src/stack/probe.ts';
import { kafkaRuns, redisRuns } from './support/local.ts';

const root = mkdtempSync(join(tmpdir(), 'rt-local-servers-'));
let server: LocalServer | undefined;
afterEach(async () => server?.stop());
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** One command in Redis's inline form, and the first bytes of the answer. */
function redis(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(`${command}\r\n`));
    socket.once('error', reject);
    socket.once('data', (answer) => {
      socket.destroy();
      resolve(answer.toString().trim());
    });
  });
}

async function withAdmin<T>(port: number, work: (kafka: Kafka) => Promise<T>): Promise<T> {
  return work(new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING }));
}

async function recordsIn(port: number, topic: string): Promise<string | undefined> {
  return withAdmin(port, async (kafka) => {
    const admin = kafka.admin();
    await admin.connect();
    const [offsets] = await admin.fetchTopicOffsets(topic);
    await admin.disconnect();
    return offsets?.high;
  });
}

async function write(port: number, topic: string, count: number): Promise<void> {
  await withAdmin(port, async (kafka) => {
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
    await admin.disconnect();
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic, acks: -1, messages: Array.from({ length: count }, (_, n) => ({ value: `${n}` })) });
    await producer.disconnect();
  });
}

test.skipIf(!kafkaRuns)('local Kafka keeps its records through a kill and a stop', async () => {
  const dir = join(root, 'kafka');
  server = await startLocalKafka({ dir });
  const { port } = server;
  await write(port, 'kept', 100);

  await server.kill('SIGKILL');
  expect(await kafkaAnswers(port)).toBe(false);
  server = await startLocalKafka({ dir, port });
  expect(server.port).toBe(port);
  expect(await recordsIn(port, 'kept')).toBe('100');

  await server.stop();
  expect(await server.exited).toBe('exit code 143'); // SIGTERM, after an orderly shutdown
  server = await startLocalKafka({ dir, port });
  expect(await recordsIn(port, 'kept')).toBe('100');
});

test.skipIf(!redisRuns)('local Redis keeps its keys with persist', async () => {
  const dir = join(root, 'redis');
  server = await startLocalRedis({ dir, persist: true });
  const { port } = server;
  expect(await redis(port, 'SET kept yes')).toBe('+OK');
  await server.stop();
  expect(await redisAnswers(port)).toBe(false);

  server = await startLocalRedis({ dir, port, persist: true });
  expect(await redis(port, 'GET kept')).toContain('yes');
  await server.kill('SIGKILL');
  server = await startLocalRedis({ dir, port, persist: true });
  expect(await redis(port, 'GET kept')).toContain('yes');
});

test.skipIf(!redisRuns)('local Redis for tests forgets', async () => {
  const dir = join(root, 'forgetful');
  server = await startLocalRedis({ dir });
  const { port } = server;
  expect(await redis(port, 'SET gone soon')).toBe('+OK');
  await server.stop();
  server = await startLocalRedis({ dir, port });
  expect(await redis(port, 'GET gone')).toBe('$-1');
});

test.skipIf(!redisRuns)('a Redis whose port is taken says so', async () => {
  server = await startLocalRedis({ dir: join(root, 'first') });
  const second = startLocalRedis({ dir: join(root, 'second'), port: server.port });
  await expect(second).rejects.toThrow(/Address already in use/);
});
