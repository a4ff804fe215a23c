/** A Redis Cluster: hints reach everybody, and an org whose shard is away does not stop the others. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, type TestContext, vi } from 'vitest';
import { type Config, readConfig } from '../../src/config.ts';
import { connectRedis, type RedisClient } from '../../src/edges/redis/client.ts';
import { createProjection } from '../../src/edges/redis/projection/projection.ts';
import type { Projection } from '../../src/projector/projection.ts';
import { freePort } from '../../src/stack/ports.ts';

const SLOTS = [
  [0, 5_460],
  [5_461, 10_922],
  [10_923, 16_383],
] as const;

type Node = { port: number; busPort: number; process: ChildProcess; redis: Redis };

const folder = mkdtempSync(join(tmpdir(), 'rt-cluster-'));
const nodes: Node[] = [];
const clients: RedisClient[] = [];
const oids: string[] = [];
let missing = '';
let config: Config;
let projection: Projection;
const noTask = (): never => {
  throw new Error('no task is read here');
};

beforeAll(async () => {
  try {
    for (const _ of SLOTS) nodes.push(await startNode());
  } catch (error) {
    missing = `no redis-server on the PATH can be a cluster: ${error}`;
    return;
  }
  const [first, ...others] = nodes as [Node, ...Node[]];
  for (const [i, { redis }] of nodes.entries())
    await redis.cluster('ADDSLOTSRANGE', ...(SLOTS[i] as readonly number[]));
  for (const { port, busPort } of others) await first.redis.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort);
  await vi.waitFor(
    async () => {
      for (const { redis } of nodes) expect(String(await redis.cluster('INFO'))).toContain('cluster_state:ok');
    },
    { timeout: 20_000, interval: 50 },
  );
  for (const [low, high] of SLOTS) oids.push(await oidIn(first.redis, low, high));
  const log = pino({ level: 'silent' });
  config = readConfig({
    KAFKA_BROKERS: 'localhost:1',
    REDIS_CLUSTER_NODES: nodes.map(({ port }) => `127.0.0.1:${port}`).join(','),
  });
  for (let i = 0; i < 2; i += 1) clients.push(await connectRedis(config, log));
  projection = await createProjection(clients[0] as RedisClient, config, noTask);
}, 60_000);

afterAll(async () => {
  for (const client of clients) await client.stop();
  for (const { redis, process } of nodes) {
    redis.disconnect();
    process.kill('SIGKILL');
  }
  rmSync(folder, { recursive: true, force: true });
});

async function startNode(): Promise<Node> {
  const [port, busPort] = [await freePort(), await freePort()];
  const dir = mkdtempSync(join(folder, 'node-'));
  const args = ['--port', port, '--cluster-port', busPort, '--dir', dir, '--bind', '127.0.0.1', '--save', ''];
  const cluster = [
    '--cluster-enabled',
    'yes',
    '--cluster-node-timeout',
    1_000,
    '--cluster-require-full-coverage',
    'no',
  ];
  const process = spawn('redis-server', [...args, ...cluster].map(String), { stdio: 'ignore' });
  const ended = new Promise<never>((_, reject) => {
    process.once('error', reject);
    process.once('exit', () => reject(new Error('it ended')));
  });
  ended.catch(() => undefined);
  const redis = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  await Promise.race([redis.ping(), ended]);
  return { port, busPort, process, redis };
}

async function oidIn(redis: Redis, low: number, high: number): Promise<string> {
  for (;;) {
    const oid = randomUUID();
    const slot = Number(await redis.cluster('KEYSLOT', `{${oid}}:m`));
    if (slot >= low && slot <= high) return oid;
  }
}

const needsCluster = (ctx: TestContext) => ctx.skip(missing !== '', missing);

describe('a cluster of Redis', () => {
  it('takes the scripts of orgs on all its nodes in one pipeline', async (ctx) => {
    needsCluster(ctx);
    const statuses = await projection.begin(oids);
    expect(statuses.map((status) => status?.usable)).toEqual([false, false, false]);
    expect((await projection.status(oids)).map((status) => status?.epoch)).toEqual(
      statuses.map((status) => status?.epoch),
    );
  });

  it('carries a hint to every process, whichever nodes they are connected to', async (ctx) => {
    needsCluster(ctx);
    const [here, there] = clients as [RedisClient, RedisClient];
    const heard: string[] = [];
    await there.subscribe('hints', (message) => void heard.push(message));
    await there.subscribe('others', () => undefined);
    await here.publish('others', ['of another channel']);
    const messages = Array.from({ length: 20 }, (_, i) => `m${i}`);
    await here.publish('hints', messages);
    await vi.waitFor(() => expect(new Set(heard)).toEqual(new Set(messages)), { timeout: 5_000, interval: 10 });
  });

  it('says of a shard that is full that its orgs are away, until it has room again', async (ctx) => {
    needsCluster(ctx);
    const full = nodes[1] as Node;
    const begun = async () => (await projection.begin(oids)).map((status) => status !== null);
    await full.redis.config('SET', 'maxmemory', '1');
    expect(await begun()).toEqual([true, false, true]);
    expect((await projection.status(oids)).map((status) => status !== null)).toEqual([true, true, true]);
    await full.redis.config('SET', 'maxmemory', '0');
    expect(await begun()).toEqual([true, true, true]);
  });

  it('answers for the orgs of the other shards while one is away', async (ctx) => {
    needsCluster(ctx);
    nodes[1]?.process.kill('SIGKILL');
    await vi.waitFor(
      async () => {
        const statuses = await projection.status(oids);
        expect(statuses.map((status) => status !== null)).toEqual([true, false, true]);
      },
      { timeout: 20_000, interval: 50 },
    );
    const token = '1';
    const rows = oids.map((oid) => ({
      oid,
      epoch: 'e',
      partition: 0,
      fencingToken: token,
      nextOffset: 1,
      facts: [],
      presence: [],
      forgotten: [],
      live: false,
      replace: false,
    }));
    const answers = await projection.writeSensors(rows);
    expect(answers.map((answer) => !answer.ok && answer.why)).toEqual(['epoch', 'away', 'epoch']);
    const confirms = await projection.confirm(oids.map((oid) => ({ oid, epoch: 'e', batch: 'b', tasks: [] })));
    expect(confirms.map((answer) => !answer.ok && answer.why)).toEqual(['epoch', 'away', 'epoch']);
  }, 40_000);

  it('goes on with the orgs of the other shards: looks, attests, sweeps, and teaches the nodes that are new', async (ctx) => {
    needsCluster(ctx);
    const scripts = () => Promise.all([nodes[0], nodes[2]].map((node) => node?.redis.script('FLUSH')));
    await scripts();
    const statuses = await projection.begin(oids);
    expect(statuses.map((status) => status !== null)).toEqual([true, false, true]);
    const orgs = oids.map((oid, i) => ({ oid, epoch: statuses[i]?.epoch ?? 'e' }));
    await scripts();
    const attested = await projection.attest(
      orgs.map((org) => ({ ...org, kind: 'c', partition: 0, nextOffset: 4, total: 1 })),
    );
    expect(attested.map(({ ok }) => ok)).toEqual([true, false, true]);
    await projection.advance(orgs.map((org) => ({ ...org, kind: 'c', partition: 0, nextOffset: 7 })));
    expect((await projection.status(oids)).map((status) => status?.commandOffsets.get(0))).toEqual([7, undefined, 7]);
    expect(await projection.due(orgs, 10)).toEqual([]);
    await projection.announced(oids.map((oid) => ({ oid, taskId: 'a' })));
  }, 20_000);

  it('lets nobody wait for a hint, nor hear that it could not be sent', async (ctx) => {
    needsCluster(ctx);
    const there = clients[1] as RedisClient;
    await there.stop();
    await expect(there.publish('hints', ['m'])).rejects.toThrow();
    const stopped = await createProjection({ ...there, subscribe: async () => undefined }, config, noTask);
    expect(stopped.hint(oids)).toBeUndefined(); // an error that escapes would fail the run
    await expect(stopped.ping()).rejects.toThrow();
  });
});
