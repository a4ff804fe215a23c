/** The counts of minutes on real Redis: each record once, nothing under an epoch that is over, and a minute that goes. */
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { connectRedis, type RedisClient } from '../../src/edges/redis/client.ts';
import { createStats } from '../../src/edges/redis/stats.ts';
import { Org, PATIENT } from '../support/projection-bench.ts';
import { openRedisBench } from '../support/redis-bench.ts';

let bench: Awaited<ReturnType<typeof openRedisBench>>;
let client: RedisClient;

beforeAll(async () => {
  bench = await openRedisBench();
  const config = readConfig({ ...process.env, KAFKA_BROKERS: 'unused:9092' });
  client = await connectRedis(config, pino({ level: 'silent' }));
});
afterAll(async () => {
  await client.stop();
  await bench.stop();
});

const MINUTE = 30_000_000;
const done = (count: number) => new Map([[MINUTE, new Map([['d', count]])]]);

test('a batch counts once, an overlap says from where it still counts, and a lost epoch counts nothing', async () => {
  const org = await new Org(bench, await bench.projection(PATIENT)).use();
  const stats = createStats(client);
  const request = (epoch: string, fromOffset: number, nextOffset: number) => ({
    oid: org.oid,
    epoch,
    partition: 3,
    fromOffset,
    nextOffset,
    counts: done(nextOffset - fromOffset),
  });
  const { epoch } = org;
  expect(await stats.count([request(epoch, 0, 10)])).toEqual([null]);
  expect(await stats.count([request(epoch, 0, 10)])).toEqual([10]);
  expect(await stats.count([request(epoch, 5, 15)])).toEqual([10]);
  expect(await stats.count([request(epoch, 10, 15), request('another', 15, 20)])).toEqual([null, null]);
  await stats.writeOnline([
    { oid: org.oid, partition: 0, minute: MINUTE, online: 4 },
    { oid: org.oid, partition: 1, minute: MINUTE, online: 2 },
  ]);
  const [before, minute] = await stats.read(org.oid, MINUTE - 1, 2);
  expect(before).toEqual(new Map());
  expect(minute).toEqual(new Map(Object.entries({ d: 15, o0: 4, o1: 2 })));
  const left = await bench.raw.ttl(`{${org.oid}}:sm:${MINUTE}`);
  expect(left).toBeGreaterThan(24 * 3_600);
  expect(left).toBeLessThanOrEqual(25 * 3_600);
});

test('a day of a rebuild is counted with a few commands for each minute, whatever happened in it', async () => {
  const org = await new Org(bench, await bench.projection(PATIENT)).use();
  const stats = createStats(client);
  const fields = new Map(Array.from({ length: 90 }, (_, i) => [`l${i}`, i + 1]));
  const counts = new Map(Array.from({ length: 200 }, (_, i) => [MINUTE + i, fields]));
  const calls = async () =>
    [...(await bench.raw.info('commandstats')).matchAll(/cmdstat_h\w+:calls=(\d+)/g)].reduce(
      (n, [, c]) => n + Number(c),
      0,
    );
  const before = await calls();
  const request = { oid: org.oid, epoch: org.epoch, partition: 0, counts };
  await stats.count([{ ...request, fromOffset: 0, nextOffset: 5 }]);
  expect((await calls()) - before).toBeLessThan(3 * counts.size);
  await stats.count([{ ...request, fromOffset: 5, nextOffset: 9 }]);
  const [minute] = await stats.read(org.oid, MINUTE + 7, 1);
  expect([...minute!]).toEqual([...fields].map(([field, count]) => [field, 2 * count]));
});
