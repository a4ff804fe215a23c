/** The collector on a log and a Redis in memory: whatever either does, each response is noted, and positions never pass one. */
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/async/clock.ts';
import { readConfig } from '../../../src/config.ts';
import type { GroupOptions } from '../../../src/ports.ts';
import { type CollectorPorts, startCollector } from '../../../src/responder/responses/collector.ts';
import type { NoteRequest } from '../../../src/responder/responses/responses.ts';
import { OID, testOrgs } from '../../command/orgs.ts';

const soon = { timeout: 8_000, interval: 20 };

/** Partition 0 with so many responses of one task; the broker reads on as the group wants it to. */
async function collecting(count: number, orgs = testOrgs()) {
  const recordCodec = { positions: new Map<number, number>(), noted: new Set<number>(), usable: true, away: false };
  const log = Array.from({ length: count }, (_, offset) => offset);
  let options!: GroupOptions;
  let before: (requests: readonly NoteRequest[]) => void = () => {};
  const record = (offset: number) => ({
    ...{ topic: 't', partition: 0, offset, timestampMs: 0, headers: {}, key: Buffer.from('s'), value: Buffer.alloc(1) },
  });
  const event = (offset: number) => ({
    ...{ oid: OID, sid: 's', event_type: 'R', event_id: `${offset}`, occurred_at: 0, task_id: 'a' },
    ...{ investigation_id: null, routing: '{}', event: '{}' },
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
        return { joined: () => true, fault: () => null, seek: () => {}, commit: async () => {}, stop: async () => {} };
      },
      decode: async (_: string, records: { offset: number }[]) =>
        records.map((one) => ({ record: one, value: event(one.offset) })),
      ends: async () => new Map([[0, { low: 0, high: log.length }]]),
      since: async () => new Map([[0, 0]]),
    },
    projection: { status: async (oids: string[]) => oids.map(() => ({ usable: recordCodec.usable })) },
    responses: {
      note: async (requests: NoteRequest[]) => {
        before(requests);
        return requests.map(({ oid, partition, expected, nextOffset, byTask }) => {
          if (oid !== OID || recordCodec.away) return 'refused';
          if ((recordCodec.positions.get(partition) ?? null) !== expected) return 'moved';
          for (const { offset } of byTask.get('a') ?? []) recordCodec.noted.add(offset);
          recordCodec.positions.set(partition, nextOffset);
          return 'noted';
        });
      },
      positions: async (oids: string[]) =>
        oids.map((oid) => (oid === OID ? new Map(recordCodec.positions) : new Map())),
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
    recordCodec,
    onNote: (work: typeof before) => {
      before = work;
    },
    append: () => log.push(log.length),
    all: () => vi.waitFor(() => expect([...recordCodec.noted].sort((a, b) => a - b)).toEqual(log), soon),
    stop: async () => {
      running = false;
      await broker;
      await role.stop();
    },
  };
}

test('all of an org is noted from its beginning, though the partition is read from its end at first', async () => {
  const { recordCodec, all, append, stop } = await collecting(20);
  await all();
  append();
  await all();
  expect(recordCodec.positions.get(0)).toBe(21);
  await stop();
});

test('what a Redis lost is noted again when its positions are found to be others', async () => {
  const { recordCodec, all, stop } = await collecting(10);
  await all();
  recordCodec.noted.clear();
  recordCodec.positions.set(0, 4);
  for (const offset of [0, 1, 2, 3]) recordCodec.noted.add(offset);
  await all();
  recordCodec.noted.clear();
  recordCodec.positions.clear();
  await all();
  await stop();
}, 30_000);

test('an org whose projection is not complete is taken on when it is', async () => {
  const { recordCodec, all, append, stop } = await collecting(5);
  await all();
  recordCodec.usable = false;
  recordCodec.away = true;
  append();
  await vi.waitFor(() => expect(recordCodec.noted.has(5)).toBe(false), soon);
  recordCodec.away = false;
  append();
  recordCodec.usable = true;
  await all();
  await stop();
});

test('whoever else writes a position between asking and noting, nothing is passed over', async () => {
  const { recordCodec, onNote, append, all, stop } = await collecting(6);
  await all();
  let times = 0;
  onNote(() => {
    // Another process, an idle advance, a restored snapshot: the position is another one than was believed.
    if (times++ < 3) recordCodec.positions.set(0, times % 2 === 0 ? 6 : 2);
  });
  append();
  append();
  await all();
  expect(recordCodec.positions.get(0)).toBe(8);
  await stop();
});
