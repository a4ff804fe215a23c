/** The collector on a log and a Redis in memory: each response is stored, and no offset passes one, whatever Redis does. */
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/async/clock.ts';
import { readConfig } from '../../../src/config.ts';
import type { GroupOptions } from '../../../src/ports.ts';
import { type CollectorPorts, startCollector } from '../../../src/responder/responses/collector.ts';
import type { NoteRequest } from '../../../src/responder/responses/responses.ts';
import { OID, testOrgs } from '../../command/orgs.ts';

const soon = { timeout: 8_000, interval: 20 };

/** Partition 0 with `count` responses of one task. The broker hands over what the group wants. */
async function collecting(count: number, orgs = testOrgs()) {
  const redis = { positions: new Map<number, number>(), noted: new Set<number>(), usable: true, away: false };
  const log = Array.from({ length: count }, (_, offset) => offset);
  let options!: GroupOptions;
  let before: (requests: readonly NoteRequest[]) => void = () => {};
  let decoding: Promise<unknown> = Promise.resolve();
  let seeks = 0;
  const record = (offset: number) => ({
    topic: 't',
    partition: 0,
    offset,
    timestampMs: 0,
    headers: {},
    key: Buffer.from('s'),
    value: Buffer.alloc(1),
  });
  const event = (offset: number) => ({
    oid: OID,
    sid: 's',
    event_type: 'R',
    event_id: `${offset}`,
    occurred_at: 0,
    task_id: 'a',
    investigation_id: null,
    routing: '{}',
    event: '{}',
  });
  const ports = {
    config: readConfig({ KAFKA_BROKERS: 'x:1', REDIS_URL: 'redis://x' }),
    clock: systemClock,
    log: pino({ level: 'silent' }),
    metrics: { batchLatency: () => undefined },
    orgs: { table: orgs },
    inbox: {
      join: async (given: GroupOptions) => {
        options = given;
        options.onAssigned([0]);
        return {
          joined: () => true,
          fault: () => null,
          seek: () => {
            seeks += 1;
          },
          commit: async () => {},
          stop: async () => {},
        };
      },
      decode: async (_: string, records: { offset: number }[]) => {
        await decoding;
        return records.map((one) => ({ record: one, value: event(one.offset) }));
      },
      ends: async () => new Map([[0, { low: 0, high: log.length }]]),
      since: async () => new Map([[0, 0]]),
    },
    projection: { status: async (oids: string[]) => oids.map(() => ({ usable: redis.usable })) },
    responses: {
      note: async (requests: NoteRequest[]) => {
        before(requests);
        return requests.map(({ oid, partition, expected, nextOffset, byTask }) => {
          if (oid !== OID || redis.away) return 'refused';
          if ((redis.positions.get(partition) ?? null) !== expected) return 'moved';
          for (const { offset } of byTask.get('a') ?? []) redis.noted.add(offset);
          redis.positions.set(partition, nextOffset);
          return 'noted';
        });
      },
      positions: async (oids: string[]) => oids.map((oid) => (oid === OID ? new Map(redis.positions) : new Map())),
    },
  };
  const role = await startCollector(ports as unknown as CollectorPorts);
  let running = true;
  const broker = (async () => {
    while (running) {
      const from = (await options.wanted('sensorEvents', 0)) ?? 0;
      const records = log.filter((offset) => offset >= from && offset < from + 3).map(record);
      const nextOffset = from + records.length;
      const batch = { topic: 'sensorEvents' as const, partition: 0, records, nextOffset, lag: 0, alive: () => running };
      if (records.length > 0) await options.onBatch(batch);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  })();
  return {
    redis,
    onNote: (work: typeof before) => {
      before = work;
    },
    holdDecoding: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      decoding = promise;
      return resolve;
    },
    seeks: () => seeks,
    append: () => log.push(log.length),
    all: () => vi.waitFor(() => expect([...redis.noted].sort((a, b) => a - b)).toEqual(log), soon),
    stop: async () => {
      running = false;
      await broker;
      await role.stop();
    },
  };
}

test('stores all responses of an org, though the partition is read from its end at first', async () => {
  const { redis, all, append, stop } = await collecting(20);
  await all();
  append();
  await all();
  expect(redis.positions.get(0)).toBe(21);
  await stop();
});

test('stores again what Redis has lost, when its offsets differ', async () => {
  const { redis, all, stop } = await collecting(10);
  await all();
  redis.noted.clear();
  redis.positions.set(0, 4);
  for (const offset of [0, 1, 2, 3]) redis.noted.add(offset);
  await all();
  redis.noted.clear();
  redis.positions.clear();
  await all();
  await stop();
}, 30_000);

test('follows an org when its projection is usable again', async () => {
  const { redis, all, append, stop } = await collecting(5);
  await all();
  redis.usable = false;
  redis.away = true;
  append();
  await vi.waitFor(() => expect(redis.noted.has(5)).toBe(false), soon);
  redis.away = false;
  append();
  redis.usable = true;
  await all();
  await stop();
});

test('passes over no response if an offset in Redis changes before a write', async () => {
  const { redis, onNote, append, all, stop } = await collecting(6);
  await all();
  let times = 0;
  onNote(() => {
    // Another process, an idle advance or a restored snapshot has changed the offset.
    if (times++ < 3) redis.positions.set(0, times % 2 === 0 ? 6 : 2);
  });
  append();
  append();
  await all();
  expect(redis.positions.get(0)).toBe(8);
  await stop();
});

test('stores nothing for an org that it follows while the batch is decoded: earlier records come first', async () => {
  const { redis, holdDecoding, seeks, append, all, stop } = await collecting(6);
  await all();
  redis.usable = false;
  redis.noted.clear();
  redis.positions.set(0, 2);
  for (const offset of [0, 1]) redis.noted.add(offset);
  const before = seeks();
  append(); // the write is refused, so the org is not followed any more
  await vi.waitFor(() => expect(redis.noted.size).toBe(2), soon);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const resume = holdDecoding();
  append();
  redis.usable = true;
  await vi.waitFor(() => expect(seeks()).toBe(before + 1), soon);
  resume();
  await all();
  await stop();
});
