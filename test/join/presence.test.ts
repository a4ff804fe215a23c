import { describe, expect, it } from 'vitest';
import { foldBatch } from '../../src/join/presence.ts';
import { newSeat, type Seat, takeRows } from '../../src/join/seat.ts';
import type { SensorPresence } from '../../src/model/records.ts';

const NOW = 1_000_000;
const presence = (change: Partial<SensorPresence>): SensorPresence => ({
  event: 'CONNECTED',
  oid: 'o',
  sid: 's',
  connection_id: 'c',
  occurred_at: NOW,
  sensor: null,
  add_tags: [],
  remove_tags: [],
  set_should_isolate: null,
  try_now: false,
  ...change,
});
const steps = (...records: Partial<SensorPresence>[]) =>
  records.map((record, offset) => ({ offset, presence: presence(record) }));
const seatOf = (): Seat => Object.assign(newSeat('o', 3), { token: '1', epoch: 'e', loaded: true });
const run = (seat: Seat, ...records: Partial<SensorPresence>[]) =>
  foldBatch(new Map([['o', seat]]), steps(...records), NOW);

describe('a batch of presence', () => {
  it('is passed over below the offset of the seat, and for orgs without one', () => {
    const seat = Object.assign(seatOf(), { nextOffset: 1 });
    const folded = run(seat, { sid: 'below' }, { sid: 'at' }, { sid: 'stranger', oid: 'other' });
    expect([...seat.sensors.keys()]).toEqual(['at']);
    expect([...folded.touched]).toEqual([seat]);
  });

  it('matches sensors that connected or changed while online, and no other', () => {
    const seat = seatOf();
    const folded = run(
      seat,
      { sid: 'connects' },
      { sid: 'offline', event: 'UPDATED', connection_id: '' },
      { sid: 'left' },
      { sid: 'left', event: 'DISCONNECTED' },
    );
    expect([...folded.toMatch].filter(({ online }) => online).map(({ sid }) => sid)).toEqual(['connects']);
    const again = run(
      seat,
      { sid: 'connects' },
      { sid: 'connects', event: 'UPDATED', add_tags: [{ tag: 't', expires_at: null }] },
    );
    expect([...again.toMatch].map(({ sid }) => sid)).toEqual(['connects']);
  });

  it('writes a state for what is new or changed, and at the first DISCONNECTED after one that said online', () => {
    const seat = seatOf();
    expect(run(seat, {}).states.map(({ state }) => state?.connection_id)).toEqual(['c']);
    expect(run(seat, { connection_id: 'd' }).states).toEqual([]);
    expect(
      run(seat, { connection_id: 'd', event: 'DISCONNECTED' }).states.map(({ state }) => state?.connection_id),
    ).toEqual([null]);
    expect(run(seat, { connection_id: 'e' }, { connection_id: 'e', event: 'DISCONNECTED' }).states).toEqual([]);
  });

  it('forgets a sensor: a tombstone, and nothing left to match or write', () => {
    const seat = seatOf();
    const folded = run(seat, {}, { event: 'FORGOTTEN' });
    expect(folded.states.at(-1)).toEqual({ oid: 'o', sid: 's', partition: 3, state: null });
    expect(folded.toMatch.size).toBe(0);
    const [rows] = takeRows(seat, () => Buffer.alloc(0));
    expect(rows).toMatchObject({ facts: [], presence: [], forgotten: ['s'] });
  });

  it('becomes rows in parts, of which the last carries the offset', () => {
    const seat = Object.assign(seatOf(), { nextOffset: 0 });
    run(seat, ...Array.from({ length: 600 }, (_, i) => ({ sid: `s${i}` })));
    seat.nextOffset = 600;
    const parts = takeRows(seat, () => Buffer.alloc(1));
    expect(parts.flatMap(({ facts }) => facts)).toHaveLength(600);
    expect(parts.map(({ nextOffset }) => nextOffset)).toEqual([...parts.slice(1).map(() => -1), 600]);
    for (const { facts, presence: rows } of parts) expect(facts.length + rows.length).toBeLessThanOrEqual(500);
  });
});
