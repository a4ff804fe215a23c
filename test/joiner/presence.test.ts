/** A batch of presence: which rows Redis may get while its states are not on the log yet. */
import { expect, it } from 'vitest';
import type { OrgPartition } from '../../src/joiner/org-partition.ts';
import { onPresence, type PresenceOptions } from '../../src/joiner/presence.ts';
import { restoreRows, rowsTaken, takeRows } from '../../src/joiner/rows.ts';
import type { Batch, InRecord } from '../../src/ports.ts';
import type { SensorRows } from '../../src/projector/projection.ts';
import { OID, samples } from '../edges/avro/samples.ts';
import { orgPartitionOf } from './world.ts';

const bytes = () => Buffer.alloc(1);
const settled = async () => {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** One org partition. `onStates` and `onRows` decide when states are on the log, and whether Redis takes rows. */
function world(orgPartition: OrgPartition, onStates: () => Promise<void>, onRows: (rows: SensorRows) => boolean) {
  const written: SensorRows[] = [];
  const take = (request: SensorRows): boolean => {
    const isTaken = onRows(request);
    if (isTaken) written.push(request);
    return isTaken;
  };
  const presence = samples.SensorPresence;
  const options = {
    ports: {
      clock: { nowMs: () => 1, delay: async () => undefined, random: () => 0.5 },
      inbox: {
        decode: async (_: string, records: InRecord[]) =>
          records.map((record) => ({ record, value: { ...presence, sid: `${record.key}` } })),
      },
      orgs: { table: { known: () => true } },
      outbox: { sensorStates: onStates, deadLetters: async () => undefined },
      recordCodec: { encode: bytes },
      log: { warn: () => undefined },
      metrics: { deadLettered: () => undefined, tagsPassedOver: () => undefined },
      projection: {
        writeSensors: async (requests: SensorRows[]) =>
          requests.map((request) => (take(request) ? { ok: true } : { ok: false, why: 'away' })),
      },
    },
    ownership: {
      next: () => 5,
      in: () => new Map([[OID, orgPartition]]),
      advance: (_: number, next: number) => Object.assign(orgPartition, { nextOffset: next }),
      effectsFrom: () => 0,
      checkLive: () => undefined,
      committed: () => undefined,
    },
    deliver: async (_: unknown, rows: { orgPartition: OrgPartition; request: SensorRows }[]) => {
      const failed = new Set<OrgPartition>();
      for (const { request } of rows) {
        if (take(request)) rowsTaken(orgPartition);
        else {
          restoreRows(orgPartition, request);
          failed.add(orgPartition);
        }
      }
      return { deliveries: false, rows: failed };
    },
    match: () => [],
    forget: () => undefined,
    commit: async () => undefined,
  } as unknown as PresenceOptions;
  const handle = (...sids: string[]) => {
    const records = sids.map(
      (sid, i) => ({ partition: 3, offset: 5 + i, key: Buffer.from(sid), value: bytes() }) as InRecord,
    );
    const nextOffset = 5 + sids.length;
    return onPresence(options, { topic: 'presence', partition: 3, records, nextOffset, alive: () => true } as Batch);
  };
  return { handle, written };
}

it('stores no offset past records whose states are not on the log, also if other rows are written meanwhile', async () => {
  const orgPartition: OrgPartition = orgPartitionOf(OID, { nextOffset: 5 });
  const states = Promise.withResolvers<void>();
  const { handle, written } = world(
    orgPartition,
    () => states.promise,
    () => true,
  );
  const handled = handle('a');
  await settled();
  expect(orgPartition.nextOffset).toBe(6);
  const [idle] = takeRows(orgPartition, bytes);
  // Ahead of the stored offset, these facts would meet the older records that the next owner reads again.
  expect(idle).toMatchObject({ nextOffset: -1, live: false, facts: [], presence: [] });
  rowsTaken(orgPartition);
  states.resolve();
  expect(await handled).toBe(true);
  expect(written).toMatchObject([{ nextOffset: 6, live: true, facts: [{ sid: 'a' }] }]);
});

it('stores no offset past a part of the rows that Redis did not take', async () => {
  const orgPartition: OrgPartition = orgPartitionOf(OID, { nextOffset: 5 });
  const sids = Array.from({ length: 700 }, (_, i) => `s${i}`);
  let asked = 0;
  const { handle, written } = world(
    orgPartition,
    async () => undefined,
    () => {
      asked += 1;
      return asked > 1;
    },
  );
  expect(await handle(...sids)).toBe(true);
  const has = new Set<string>();
  for (const { nextOffset, presence } of written) {
    for (const { sid } of presence) has.add(sid);
    if (nextOffset >= 0) expect(has.size).toBe(sids.length);
  }
  expect(written.at(-1)).toMatchObject({ nextOffset: 5 + sids.length, live: true });
});
