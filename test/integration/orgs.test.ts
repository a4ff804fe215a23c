/** Orgs, keys and settings on real Kafka and Redis, as several processes see them. */
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { readConfig } from '../../src/config.ts';
import { createCodec } from '../../src/edges/avro/codec.ts';
import { ensureTopics } from '../../src/edges/kafka/admin.ts';
import { createKafka } from '../../src/edges/kafka/client.ts';
import { followOrgs } from '../../src/edges/kafka/orgs.ts';
import { createProducer } from '../../src/edges/kafka/producer.ts';
import { connectRedis } from '../../src/edges/redis/client.ts';
import { keys } from '../../src/edges/redis/keys.ts';
import { createSettingClaims } from '../../src/edges/redis/setting-claims.ts';
import { RECORD_NAMES, type RecordName } from '../../src/model/records.ts';
import type { Settings } from '../../src/orgs/settings.ts';
import { createSettings } from '../../src/orgs/write-setting.ts';
import { topicNames } from '../../src/topics.ts';

const prefix = `orgs-${randomUUID()}-`;
const oid = randomUUID();
const log = pino({ level: 'silent' });
const soon = { timeout: 10_000, interval: 20 };
const config = readConfig({ ...process.env, KAFKA_TOPIC_PREFIX: prefix, TOPIC_PARTITIONS: '2', HTTP_PORT: '0' });
const stops: (() => Promise<void>)[] = [];

/** The store of settings as a process has it, with connections of its own. */
async function openStore(): Promise<Settings & { lose(place: string): Promise<void> }> {
  const kafka = createKafka(config, log);
  const topicOf = Object.fromEntries(RECORD_NAMES.map((name) => [name, name])) as Record<RecordName, string>;
  const codec = createCodec({ topicOf });
  const topic = topicNames(prefix).orgSettings;
  const [orgs, once, redis] = await Promise.all([
    followOrgs({ kafka, topic, codec, log }),
    createProducer(kafka, 'once'),
    connectRedis(config, log),
  ]);
  stops.push(async () => void (await Promise.all([orgs.stop(), once.stop(), redis.stop()])));
  const settings = createSettings({
    table: orgs.settings,
    claims: createSettingClaims(redis),
    append: (key, setting) => once.send(topic, [{ key, value: setting && codec.encode('OrgSetting', setting) }]),
    refresh: orgs.refresh,
    clock: systemClock,
  });
  return {
    ...settings,
    lose: async (place) => void (await redis.trip([{ oid, name: 'del', args: [keys.setting(oid, place)] }])),
  };
}

let stores: [Awaited<ReturnType<typeof openStore>>, Awaited<ReturnType<typeof openStore>>];

beforeAll(async () => {
  await ensureTopics(createKafka(config, log), config, log);
  stores = [await openStore(), await openStore()];
}, 60_000);

afterAll(async () => {
  await Promise.all(stops.map((stop) => stop()));
});

describe('settings', () => {
  const record = (n: number) => ({ oid, kind: 'HIVE' as const, name: 'dr-general/rule 1/ü', value: { n }, by: 'test' });

  it('of several writers in two processes who saw the same etag exactly one wins, every time', async () => {
    const [one, two] = stores;
    let etag = '';
    for (let round = 0; round < 4; round += 1) {
      // As after a restart of Redis: who writes next has to read the log.
      if (round === 2) await one.lose('HIVE/dr-general/rule 1/ü');
      const tries = await Promise.allSettled(
        [0, 1, 2, 3, 4, 5].map((n) => (n % 2 ? one : two).write({ ...record(round * 10 + n), ifEtag: etag })),
      );
      const won = tries.flatMap((result, n) => (result.status === 'fulfilled' ? [{ n, etag: result.value }] : []));
      expect(won).toHaveLength(1);
      const codes = tries.map((result) => result.status === 'rejected' && result.reason.code);
      expect(codes.filter((code) => code === 'etag_mismatch')).toHaveLength(5);
      etag = won[0]!.etag;
      for (const store of [one, two])
        await vi.waitFor(
          () =>
            expect(store.get(oid, 'HIVE', record(0).name)).toMatchObject({
              etag,
              value: { n: round * 10 + won[0]!.n },
            }),
          soon,
        );
    }
    await expect(two.write({ ...record(0), value: null, ifEtag: 'old' })).rejects.toMatchObject({ data: { etag } });
    expect(await two.write({ ...record(0), value: null, ifEtag: etag })).toBe('');
    await vi.waitFor(() => expect(one.list(oid, 'HIVE')).toEqual([]), soon);
  });
});
