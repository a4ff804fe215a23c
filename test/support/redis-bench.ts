/** The projection in Redis for the contract tests: the real scripts, on the server of REDIS_URL. */
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { expect, vi } from 'vitest';
import { type Config, readConfig } from '../../src/config.ts';
import { connectRedis } from '../../src/edges/redis/client.ts';
import { createProjection } from '../../src/edges/redis/projection/projection.ts';
import type { Projection } from '../../src/projector/projection.ts';
import { type Bench, decodeCommand, PATIENT, type Settings } from './projection-bench.ts';

export async function openRedisBench(): Promise<Bench & { raw: Redis; oids: () => string[] }> {
  const config = readConfig({ ...process.env, KAFKA_BROKERS: 'unused:9092' });
  const raw = new Redis(config.REDIS_URL);
  const client = await connectRedis(config, pino({ level: 'silent' }));
  const projections = new Map<string, Promise<Projection>>();
  const oids = new Set<string>();
  const keysOf = async (oid: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const page of raw.scanStream({ match: `{${oid}}:*`, count: 1_000 })) found.push(...(page as string[]));
    return [...new Set(found)];
  };
  const nowMs = async () => {
    const [seconds, micros] = await raw.time();
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  };
  const lose = async (oid: string) => {
    const keys = await keysOf(oid);
    if (keys.length > 0) await raw.del(...keys);
  };
  return {
    raw,
    oids: () => [...oids],
    projection: async (wanted) => {
      const settings: Settings = { ...PATIENT, ...wanted };
      const name = JSON.stringify(settings);
      const open = projections.get(name) ?? createProjection(client, withSettings(config, settings), decodeCommand);
      projections.set(name, open);
      return noting(await open, oids);
    },
    nowMs,
    reach: (atMs) =>
      vi.waitFor(async () => expect(await nowMs()).toBeGreaterThan(atMs), { timeout: 10_000, interval: 5 }),
    lose,
    replace: async (oid) => {
      const marker = `{${oid}}:m`;
      for (const field of ['r', 'g'])
        if (await raw.hexists(marker, field)) await raw.hset(marker, field, '0123456789abcdef0123456789abcdef01234567');
    },
    left: async (oid) => (await keysOf(oid)).filter((key) => key !== `{${oid}}:m` && key !== `{${oid}}:log`),
    endAnnouncing: async (oid) => {
      const ids = await raw.zrange(`{${oid}}:xq`, '0', '-1');
      for (const id of ids) await raw.zadd(`{${oid}}:xq`, 'XX', '0', id);
    },
    stop: async () => {
      for (const oid of oids) await lose(oid);
      await client.stop();
      raw.disconnect();
    },
  };
}

const withSettings = (config: Config, settings: Settings): Config => ({
  ...config,
  CLAIM_LEASE_MS: settings.leaseMs,
  EXPIRY_MARGIN_MS: settings.marginMs,
  REDELIVERY_FIRST_MS: settings.firstBackoffMs,
  REDELIVERY_MAX_MS: settings.maxBackoffMs,
  ENDED_RETENTION_SECONDS: settings.retentionMs / 1000,
});

/** Remembers the orgs, so that they can be deleted at the end. */
const noting = (projection: Projection, oids: Set<string>): Projection => ({
  ...projection,
  begin: (names) => {
    for (const oid of names) oids.add(oid);
    return projection.begin(names);
  },
});
