import { describe, expect, it } from 'vitest';
import { addSensor, newOrgPartition, type OrgPartition, type Sensor } from '../../src/joiner/org-partition.ts';
import { dropExpiredTags, foldBatch } from '../../src/joiner/presence-fold.ts';
import { takeRows, writeRows } from '../../src/joiner/rows.ts';
import type { SensorFacts, SensorPresence } from '../../src/model/records.ts';
import { fromState, toState } from '../../src/model/sensor.ts';
import type { Answer, SensorRows } from '../../src/projector/projection.ts';

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
const orgPartitionOf = (): OrgPartition =>
  Object.assign(newOrgPartition('o', 3), { fencingToken: '1', epoch: 'e', loaded: true });
/** How many records each org partition has read. */
const read = new WeakMap<OrgPartition, number>();
const runAt = (nowMs: number, orgPartition: OrgPartition, ...records: Partial<SensorPresence>[]) => {
  const from = read.get(orgPartition) ?? 0;
  read.set(orgPartition, from + records.length);
  return foldBatch(new Map([['o', orgPartition]]), steps(from, ...records), nowMs);
};
const run = (orgPartition: OrgPartition, ...records: Partial<SensorPresence>[]) => runAt(NOW, orgPartition, ...records);

describe('a batch of presence', () => {
  it('is skipped below the offset of the org partition, and for orgs without an org partition', () => {
    const orgPartition = Object.assign(orgPartitionOf(), { nextOffset: 1 });
    const folded = run(orgPartition, { sid: 'below' }, { sid: 'at' }, { sid: 'stranger', oid: 'other' });
    expect([...orgPartition.sensors.keys()]).toEqual(['at']);
    expect([...folded.touched]).toEqual([orgPartition]);
  });

  it('writes the state of a sensor that only the API has tagged, once, and not again when the API asks to try now', () => {
    const orgPartition = orgPartitionOf();
    const platform = { event: 'UPDATED' as const, connection_id: '' };
    const tagged = run(orgPartition, { ...platform, add_tags: [{ tag: 't', expires_at: null }] });
    expect(tagged.states.map(({ state }) => state?.alive_at)).toEqual([0]);
    expect(run(orgPartition, { ...platform, try_now: true }).states).toEqual([]);
    expect(run(orgPartition, {}).states).toEqual([]);
  });

  it('skips records that the row of a sensor includes already: a copy of its CONNECTED would not restore its facts', () => {
    const records = [
      { event: 'UPDATED' as const, connection_id: '', sensor: { ...FACTS, hostname: 'old' } },
      { sensor: { ...FACTS, hostname: 'new' } },
    ];
    const orgPartition = orgPartitionOf();
    run(orgPartition, ...records);
    const row = { ...orgPartition.sensors.get('s') };
    const next = orgPartitionOf();
    addSensor(next, fromState(toState(row as Sensor)), NOW).nextOffset = row.nextOffset as number;
    const folded = run(next, ...records);
    expect(next.sensors.get('s')?.facts?.hostname).toBe('new');
    expect(folded.states).toEqual([]);
  });

  it('counts the tags above the limit of a sensor', () => {
    const tags = Array.from({ length: 1_003 }, (_, i) => ({ tag: `t${i}`, expires_at: null }));
    expect(run(orgPartitionOf(), { add_tags: tags }, {}).ignoredTags).toEqual([{ oid: 'o', sid: 's', tags: 3 }]);
  });

  it('matches only sensors that connected, or that changed while they were online', () => {
    const orgPartition = orgPartitionOf();
    const folded = run(
      orgPartition,
      { sid: 'connects' },
      { sid: 'offline', event: 'UPDATED', connection_id: '' },
      { sid: 'left' },
      { sid: 'left', event: 'DISCONNECTED' },
    );
    expect([...folded.toMatch].filter(({ online }) => online).map(({ sid }) => sid)).toEqual(['connects']);
    const again = run(
      orgPartition,
      { sid: 'connects' },
      { sid: 'connects', event: 'UPDATED', add_tags: [{ tag: 't', expires_at: null }] },
    );
    expect([...again.toMatch].map(({ sid }) => sid)).toEqual(['connects']);
  });

  it('writes a state for a new or changed sensor, and at the first DISCONNECTED after a state that says online', () => {
    const orgPartition = orgPartitionOf();
    expect(run(orgPartition, {}).states.map(({ state }) => state?.connection_id)).toEqual(['c']);
    expect(run(orgPartition, { connection_id: 'd' }).states).toEqual([]);
    expect(
      run(orgPartition, { connection_id: 'd', event: 'DISCONNECTED' }).states.map(({ state }) => state?.connection_id),
    ).toEqual([null]);
    expect(run(orgPartition, { connection_id: 'e' }, { connection_id: 'e', event: 'DISCONNECTED' }).states).toEqual([]);
  });

  it('does not add a sensor at its DISCONNECTED', () => {
    const orgPartition = orgPartitionOf();
    const folded = run(orgPartition, { event: 'DISCONNECTED' }, { event: 'DISCONNECTED' });
    expect(folded.states).toEqual([]);
    expect(orgPartition.sensors.size + orgPartition.dirtyFacts.size + orgPartition.dirtyRows.size).toBe(0);
    expect([...folded.touched]).toEqual([orgPartition]);
  });

  it('does not add a sensor when the API asks to try now, but when the API sets something on it', () => {
    const orgPartition = orgPartitionOf();
    const asked = run(orgPartition, { event: 'UPDATED', connection_id: '', try_now: true });
    expect([asked.states, asked.toMatch.size, orgPartition.sensors.size]).toEqual([[], 0, 0]);
    expect([...asked.touched]).toEqual([orgPartition]);
    run(orgPartition, { event: 'UPDATED', connection_id: '', remove_tags: ['t'] });
    expect([...orgPartition.sensors.keys()]).toEqual(['s']);
  });

  it('writes the state of an online sensor again once a day, and not that of an offline one', () => {
    const orgPartition = orgPartitionOf();
    const DAY = 86_400_000;
    const at = (nowMs: number, record: Partial<SensorPresence>) => runAt(nowMs, orgPartition, record).states.length;
    const heartbeat = { event: 'UPDATED', connection_id: '' } as const;
    expect(at(NOW, {})).toBe(1);
    expect(at(NOW + DAY - 1, heartbeat)).toBe(0);
    expect(at(NOW + DAY, heartbeat)).toBe(1);
    expect(at(NOW + DAY + 1, heartbeat)).toBe(0);
    expect(at(NOW + DAY + 2, { event: 'DISCONNECTED' })).toBe(1);
    expect(at(NOW + 3 * DAY, heartbeat)).toBe(0);
  });

  it('gives a sensor another connection hash when the API asks to try now, and at the next connection', () => {
    const orgPartition = orgPartitionOf();
    run(orgPartition, {});
    const before = orgPartition.sensors.get('s')?.connectionHash;
    expect(run(orgPartition, { event: 'UPDATED', connection_id: '', try_now: true }).toMatch.size).toBe(1);
    const tried = orgPartition.sensors.get('s')?.connectionHash;
    expect(tried).not.toBe(before);
    run(orgPartition, { connection_id: 'd' }, { connection_id: 'c', occurred_at: NOW + 1 });
    expect(orgPartition.sensors.get('s')?.connectionHash).toBe(before);
    run(orgPartition, { connection_id: 'c' });
    expect(orgPartition.sensors.get('s')?.connectionHash).toBe(before);
  });

  it('adds a sensor again that connects after it was forgotten, without its earlier tags and isolation', () => {
    const orgPartition = orgPartitionOf();
    const folded = run(
      orgPartition,
      { add_tags: [{ tag: 't', expires_at: null }], set_should_isolate: true },
      { event: 'FORGOTTEN' },
      { connection_id: 'd' },
    );
    expect(folded.states.map(({ state }) => state && [state.platform_tags, state.connection_id])).toEqual([
      null,
      [[], 'd'],
    ]);
    expect([...folded.toMatch].map(({ connectionId }) => connectionId)).toEqual(['d']);
    const [rows] = takeRows(orgPartition, () => Buffer.alloc(0));
    expect(rows).toMatchObject({ facts: [{ sid: 's' }], presence: [{ sid: 's' }], forgotten: [] });
  });

  it('matches a sensor again, once, when one of its tags expires', () => {
    const orgPartition = orgPartitionOf();
    run(orgPartition, {
      sensor: FACTS,
      add_tags: [
        { tag: 'set', expires_at: NOW + 10 },
        { tag: 'own', expires_at: NOW + 20 },
      ],
    });
    const [sensor] = orgPartition.sensors.values();
    expect(dropExpiredTags(orgPartition, NOW + 9)).toEqual([]);
    orgPartition.dirtyFacts.clear();
    expect(dropExpiredTags(orgPartition, NOW + 10)).toEqual([sensor]);
    expect([[...orgPartition.dirtyFacts], [...(sensor?.platformTags.keys() ?? [])]]).toEqual([['s'], ['own']]);
    expect(sensor?.record.tags).toEqual(['own']);
    // The sensor reports this tag itself: nothing changes when it expires.
    expect(dropExpiredTags(orgPartition, NOW + 20)).toEqual([]);
    expect(orgPartition.expiring.size).toBe(0);
  });

  it('forgets a sensor: it writes a tombstone, and nothing is matched', () => {
    const orgPartition = orgPartitionOf();
    const folded = run(orgPartition, {}, { event: 'FORGOTTEN' });
    expect(folded.states.at(-1)).toEqual({ oid: 'o', sid: 's', partition: 3, state: null });
    expect(folded.toMatch.size).toBe(0);
    const [rows] = takeRows(orgPartition, () => Buffer.alloc(0));
    expect(rows).toMatchObject({ facts: [], presence: [], forgotten: ['s'] });
  });

  it.each(['refused', 'away'])('removes a forgotten sensor from Redis after a write that was %s', async (how) => {
    const orgPartition = orgPartitionOf();
    run(orgPartition, {}, { sid: 'kept' }, { event: 'FORGOTTEN' });
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
        orgPartition,
        takeRows(orgPartition, () => Buffer.alloc(0)),
      ),
    ).toBe(why);
    expect(
      await writeRows(
        { writeSensors },
        orgPartition,
        takeRows(orgPartition, () => Buffer.alloc(0)),
      ),
    ).toBeNull();
    expect(written[1]).toEqual(written[0]);
    expect(written[1]).toMatchObject({ facts: [{ sid: 'kept' }], forgotten: ['s'] });
    const [rest] = takeRows(orgPartition, () => Buffer.alloc(0));
    expect(rest).toMatchObject({ facts: [], presence: [], forgotten: [] });
  });

  it('becomes rows in parts, and the last part holds the offset', () => {
    const orgPartition = Object.assign(orgPartitionOf(), { nextOffset: 0 });
    run(orgPartition, ...Array.from({ length: 600 }, (_, i) => ({ sid: `s${i}` })));
    orgPartition.nextOffset = 600;
    const parts = takeRows(orgPartition, () => Buffer.alloc(1));
    expect(parts.flatMap(({ facts }) => facts)).toHaveLength(600);
    expect(parts.map(({ nextOffset }) => nextOffset)).toEqual([...parts.slice(1).map(() => -1), 600]);
    for (const { facts, presence: rows } of parts) expect(facts.length + rows.length).toBeLessThanOrEqual(500);
  });
});
