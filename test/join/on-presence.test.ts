/** A batch of presence on its way: what Redis may be told while its states are not on the log yet. */
import { expect, it } from 'vitest';
import type { Joiner } from '../../src/join/joiner.ts';
import { onPresence } from '../../src/join/on-presence.ts';
import { rowsTaken, type Seat, takeRows } from '../../src/join/seat.ts';
import type { InRecord } from '../../src/outbox.ts';
import type { Batch } from '../../src/ports.ts';
import type { SensorRows } from '../../src/projection/store.ts';
import { OID, samples } from '../edges/avro/samples.ts';
import { seatOf } from './world.ts';

const bytes = () => Buffer.alloc(1);
const settled = async () => {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
};

it('stores no offset past records whose states are not on the log, whoever writes rows meanwhile', async () => {
  const seat: Seat = seatOf(OID, { nextOffset: 5 });
  const states = Promise.withResolvers<void>();
  const written: SensorRows[] = [];
  const joiner = {
    ports: {
      clock: { nowMs: () => 1, delay: async () => undefined, random: () => 0.5 },
      inbox: {
        decode: async (_: string, records: InRecord[]) => records.map((record) => ({ record, value: presence })),
      },
      orgs: { table: { known: () => true } },
      outbox: { sensorStates: () => states.promise, deadLetters: async () => undefined },
      store: { encode: bytes },
      log: { warn: () => undefined },
      metrics: { deadLettered: () => undefined },
    },
    seats: {
      next: () => 5,
      in: () => new Map([[OID, seat]]),
      advance: (_: number, next: number) => Object.assign(seat, { nextOffset: next }),
      effectsFrom: () => 0,
      checkLive: () => undefined,
      committed: () => undefined,
    },
    deliver: {
      deliver: async (_: unknown, rows: { request: SensorRows }[]) => {
        for (const { request } of rows) written.push(request);
        return { pairs: false, rows: new Set() };
      },
    },
    match: () => [],
    forget: () => undefined,
    commit: async () => undefined,
  } as unknown as Joiner;
  const presence = samples.SensorPresence;
  const record = { partition: 3, offset: 5, key: Buffer.from(presence.sid), value: bytes() } as InRecord;
  const batch = { topic: 'presence', partition: 3, records: [record], nextOffset: 6, alive: () => true } as Batch;
  const handled = onPresence(joiner, batch);
  await settled();
  expect(seat.nextOffset).toBe(6);
  const [idle] = takeRows(seat, bytes);
  // Ahead of the stored offset these facts would be met by the older records that a successor reads again.
  expect(idle).toMatchObject({ nextOffset: -1, live: false, facts: [], presence: [] });
  rowsTaken(seat);
  states.resolve();
  expect(await handled).toBe(true);
  expect(written).toMatchObject([{ nextOffset: 6, live: true, facts: [{ sid: presence.sid }] }]);
});
