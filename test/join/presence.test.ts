import { describe, expect, it } from 'vitest';
import { dropExpiredTags, foldBatch } from '../../src/join/presence.ts';
import { newSeat, type Seat, type Sensor, seatSensor, takeRows, writeRows } from '../../src/join/seat.ts';
import type { SensorFacts, SensorPresence } from '../../src/model/records.ts';
import { fromState, toState } from '../../src/model/sensor.ts';
import type { Answer, SensorRows } from '../../src/projection/store.ts';

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
const FACTS: SensorFacts = {
  iid: '',
  did: '',
  hostname: 'h',
  ext_ip: '',
  int_ip: '',
  mac_addr: '',
  plat: 0,
  ext_plat: 0,
  arch: 0,
  enroll: null,
  isolated: false,
  should_isolate: false,
  kernel: false,
  tags: ['own'],
};
const steps = (from: number, ...records: Partial<SensorPresence>[]) =>
  records.map((record, i) => ({ offset: from + i, presence: presence(record) }));
const seatOf = (): Seat => Object.assign(newSeat('o', 3), { token: '1', epoch: 'e', loaded: true });
/** How many records each seat has read. */
const read = new WeakMap<Seat, number>();
const runAt = (nowMs: number, seat: Seat, ...records: Partial<SensorPresence>[]) => {
  const from = read.get(seat) ?? 0;
  read.set(seat, from + records.length);
  return foldBatch(new Map([['o', seat]]), steps(from, ...records), nowMs);
};
const run = (seat: Seat, ...records: Partial<SensorPresence>[]) => runAt(NOW, seat, ...records);

describe('a batch of presence', () => {
  it('is passed over below the offset of the seat, and for orgs without one', () => {
    const seat = Object.assign(seatOf(), { nextOffset: 1 });
    const folded = run(seat, { sid: 'below' }, { sid: 'at' }, { sid: 'stranger', oid: 'other' });
    expect([...seat.sensors.keys()]).toEqual(['at']);
    expect([...folded.touched]).toEqual([seat]);
  });

  it('writes the state of a sensor that the platform alone has spoken of when it becomes known, and not again for a try', () => {
    const seat = seatOf();
    const platform = { event: 'UPDATED' as const, connection_id: '' };
    const tagged = run(seat, { ...platform, add_tags: [{ tag: 't', expires_at: null }] });
    expect(tagged.states.map(({ state }) => state?.alive_at)).toEqual([0]);
    expect(run(seat, { ...platform, try_now: true }).states).toEqual([]);
    expect(run(seat, {}).states).toEqual([]);
  });

  it('leaves a sensor as it is that Redis had further than the offset: a copy of its CONNECTED would not bring its facts back', () => {
    const records = [
      { event: 'UPDATED' as const, connection_id: '', sensor: { ...FACTS, hostname: 'old' } },
      { sensor: { ...FACTS, hostname: 'new' } },
    ];
    const seat = seatOf();
    run(seat, ...records);
    const row = { ...seat.sensors.get('s') };
    const next = seatOf();
    seatSensor(next, fromState(toState(row as Sensor)), NOW).nextOffset = row.nextOffset as number;
    const folded = run(next, ...records);
    expect(next.sensors.get('s')?.facts?.hostname).toBe('new');
    expect(folded.states).toEqual([]);
  });

  it('tells of tags for which a sensor has no room', () => {
    const tags = Array.from({ length: 1_003 }, (_, i) => ({ tag: `t${i}`, expires_at: null }));
    expect(run(seatOf(), { add_tags: tags }, {}).passedOver).toEqual([{ oid: 'o', sid: 's', tags: 3 }]);
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

  it('does not make a sensor known by its leaving', () => {
    const seat = seatOf();
    const folded = run(seat, { event: 'DISCONNECTED' }, { event: 'DISCONNECTED' });
    expect(folded.states).toEqual([]);
    expect(seat.sensors.size + seat.dirtyFacts.size + seat.dirtyRows.size).toBe(0);
    expect([...folded.touched]).toEqual([seat]);
  });

  it('does not make a sensor known by asking it to try, but by what is set on it', () => {
    const seat = seatOf();
    const asked = run(seat, { event: 'UPDATED', connection_id: '', try_now: true });
    expect([asked.states, asked.toMatch.size, seat.sensors.size]).toEqual([[], 0, 0]);
    expect([...asked.touched]).toEqual([seat]);
    run(seat, { event: 'UPDATED', connection_id: '', remove_tags: ['t'] });
    expect([...seat.sensors.keys()]).toEqual(['s']);
  });

  it('writes the state of an online sensor again once a day, and of no other', () => {
    const seat = seatOf();
    const DAY = 86_400_000;
    const at = (nowMs: number, record: Partial<SensorPresence>) => runAt(nowMs, seat, record).states.length;
    const heartbeat = { event: 'UPDATED', connection_id: '' } as const;
    expect(at(NOW, {})).toBe(1);
    expect(at(NOW + DAY - 1, heartbeat)).toBe(0);
    expect(at(NOW + DAY, heartbeat)).toBe(1);
    expect(at(NOW + DAY + 1, heartbeat)).toBe(0);
    expect(at(NOW + DAY + 2, { event: 'DISCONNECTED' })).toBe(1);
    expect(at(NOW + 3 * DAY, heartbeat)).toBe(0);
  });

  it('tells another try at once from the attempt that runs, by its tag', () => {
    const seat = seatOf();
    run(seat, {});
    const before = seat.sensors.get('s')?.tag;
    expect(run(seat, { event: 'UPDATED', connection_id: '', try_now: true }).toMatch.size).toBe(1);
    const tried = seat.sensors.get('s')?.tag;
    expect(tried).not.toBe(before);
    run(seat, { connection_id: 'd' }, { connection_id: 'c', occurred_at: NOW + 1 });
    expect(seat.sensors.get('s')?.tag).toBe(before);
    run(seat, { connection_id: 'c' });
    expect(seat.sensors.get('s')?.tag).toBe(before);
  });

  it('knows a sensor anew that comes after it was forgotten, and forgets it with all that was set on it', () => {
    const seat = seatOf();
    const folded = run(
      seat,
      { add_tags: [{ tag: 't', expires_at: null }], set_should_isolate: true },
      { event: 'FORGOTTEN' },
      { connection_id: 'd' },
    );
    expect(folded.states.map(({ state }) => state && [state.platform_tags, state.connection_id])).toEqual([
      null,
      [[], 'd'],
    ]);
    expect([...folded.toMatch].map(({ connectionId }) => connectionId)).toEqual(['d']);
    const [rows] = takeRows(seat, () => Buffer.alloc(0));
    expect(rows).toMatchObject({ facts: [{ sid: 's' }], presence: [{ sid: 's' }], forgotten: [] });
  });

  it('is matched again when a tag runs out, once', () => {
    const seat = seatOf();
    run(seat, {
      sensor: FACTS,
      add_tags: [
        { tag: 'set', expires_at: NOW + 10 },
        { tag: 'own', expires_at: NOW + 20 },
      ],
    });
    const [sensor] = seat.sensors.values();
    expect(dropExpiredTags(seat, NOW + 9)).toEqual([]);
    seat.dirtyFacts.clear();
    expect(dropExpiredTags(seat, NOW + 10)).toEqual([sensor]);
    expect([[...seat.dirtyFacts], [...(sensor?.platformTags.keys() ?? [])]]).toEqual([['s'], ['own']]);
    expect(sensor?.record.tags).toEqual(['own']);
    // The sensor reports this one itself: nothing is different without it.
    expect(dropExpiredTags(seat, NOW + 20)).toEqual([]);
    expect(seat.expiring.size).toBe(0);
  });

  it('forgets a sensor: a tombstone, and nothing left to match or write', () => {
    const seat = seatOf();
    const folded = run(seat, {}, { event: 'FORGOTTEN' });
    expect(folded.states.at(-1)).toEqual({ oid: 'o', sid: 's', partition: 3, state: null });
    expect(folded.toMatch.size).toBe(0);
    const [rows] = takeRows(seat, () => Buffer.alloc(0));
    expect(rows).toMatchObject({ facts: [], presence: [], forgotten: ['s'] });
  });

  it.each(['refused', 'away'])('still tells Redis of a forgotten sensor when the rows before were %s', async (how) => {
    const seat = seatOf();
    run(seat, {}, { sid: 'kept' }, { event: 'FORGOTTEN' });
    const why = how === 'refused' ? 'fenced' : 'away';
    const answers: Answer<object>[] = [{ ok: false, why }, { ok: true }];
    const written: SensorRows[] = [];
    const writeSensors = async (rows: SensorRows[]) => {
      written.push(...rows);
      return [answers.shift() as Answer<object>];
    };
    expect(
      await writeRows(
        { writeSensors },
        seat,
        takeRows(seat, () => Buffer.alloc(0)),
      ),
    ).toBe(why);
    expect(
      await writeRows(
        { writeSensors },
        seat,
        takeRows(seat, () => Buffer.alloc(0)),
      ),
    ).toBeNull();
    expect(written[1]).toEqual(written[0]);
    expect(written[1]).toMatchObject({ facts: [{ sid: 'kept' }], forgotten: ['s'] });
    const [rest] = takeRows(seat, () => Buffer.alloc(0));
    expect(rest).toMatchObject({ facts: [], presence: [], forgotten: [] });
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
