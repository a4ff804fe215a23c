import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { addSensor, newOrgPartition, type OrgPartition, type Sensor } from '../../src/joiner/org-partition.ts';
import { type StateReader, takeOrgPartition } from '../../src/joiner/takeover.ts';
import type { SensorState } from '../../src/model/records.ts';
import { newSensor, toState } from '../../src/model/sensor.ts';
import type { Answer, InFlight, SensorRows, StoredSensor } from '../../src/projector/projection.ts';

const EPOCH = 'e2';
const stored = (sid: string): StoredSensor => ({
  sid,
  facts: Buffer.from(JSON.stringify(toState(newSensor('o', sid)))),
  presence: {
    online: true,
    connectionId: `c-${sid}`,
    aliveAtMs: 5,
    confirms: false,
    sinceMs: 5,
    closed: [],
    replaced: [],
    nextOffset: 7,
  },
});

/** What Redis holds of the org partition, in pages. `onRows` answers the writes. */
function world(options: {
  nextOffset: number | null;
  pages?: StoredSensor[][];
  states?: SensorState[];
  inFlight?: InFlight[];
  delay?: (ms: number) => Promise<void>;
}) {
  const { nextOffset, pages = [[]], states = [], inFlight = [], delay = async () => undefined } = options;
  const rows: SensorRows[] = [];
  const gone: Sensor[] = [];
  const answers = { onRows: (_: SensorRows): Answer<object> => ({ ok: true }) };
  const ports = {
    projection: {
      takeover: async () => ({ ok: true, fencingToken: '7', nextOffset, nowMs: 0, inFlight }),
      scanSensors: async (_oid: string, _partition: number, cursor: string | null) => {
        const at = Number(cursor ?? 0);
        return { sensors: pages[at] ?? [], next: at + 1 < pages.length ? String(at + 1) : null };
      },
      writeSensors: async (requests: SensorRows[]) =>
        requests.map((request) => {
          rows.push(request);
          return answers.onRows(request);
        }),
    },
    inbox: { ends: async () => new Map([[3, { low: 0, high: 9 }]]), since: async () => new Map([[3, 4]]) },
    clock: { nowMs: () => 0, monoMs: () => 0, delay },
    recordCodec: {
      encode: (_: string, state: SensorState) => Buffer.from(JSON.stringify(state)),
      decode: (_: string, bytes: Buffer) => JSON.parse(bytes.toString()),
    },
    orgs: { table: { firstSubscribedAtMs: () => 0 } },
    log: pino({ level: 'silent' }),
  } as unknown as Parameters<typeof takeOrgPartition>[0];
  const reader = { of: async () => states } as unknown as StateReader;
  const take = (orgPartition: OrgPartition) =>
    takeOrgPartition(ports, orgPartition, EPOCH, reader, (sensors) => void gone.push(...sensors));
  return { answers, gone, rows, take };
}

const held = (...sids: string[]): OrgPartition => {
  const orgPartition = Object.assign(newOrgPartition('o', 3), { epoch: EPOCH, loaded: true, nextOffset: 6 });
  for (const sid of sids) addSensor(orgPartition, newSensor('o', sid), 0);
  return orgPartition;
};
const sidsIn = (rows: SensorRows[]) => rows.flatMap(({ facts }) => facts.map(({ sid }) => sid));

describe('the takeover of an org partition', () => {
  it('loads the sensors from Redis, and writes to prove that Redis did not lose its data meanwhile', async () => {
    const { take, rows } = world({ nextOffset: 6, pages: [[stored('a')], [stored('b')]] });
    const orgPartition = newOrgPartition('o', 3);
    expect(await take(orgPartition)).toBe(true);
    expect([...orgPartition.sensors.keys()]).toEqual(['a', 'b']);
    expect(orgPartition).toMatchObject({ loaded: true, fencingToken: '7', nextOffset: 6, liveAt: 9 });
    expect(orgPartition.sensors.get('a')).toMatchObject({ online: true, connectionId: 'c-a', nextOffset: 7 });
    expect(rows).toMatchObject([{ epoch: EPOCH, fencingToken: '7', facts: [], presence: [], forgotten: [] }]);
  });

  it.each(['lost', 'fenced', 'not_ready', 'away'] as const)(
    'keeps nothing of what was read if the write is answered %s',
    async (why) => {
      const { take, answers } = world({ nextOffset: 6, pages: [[stored('a')], []] });
      answers.onRows = () => ({ ok: false, why });
      const orgPartition = newOrgPartition('o', 3);
      expect(await take(orgPartition)).toBe(false);
      expect(orgPartition.loaded).toBe(false);
    },
  );

  it('writes all sensors after a loss of Redis, and fails until Redis has all of them', async () => {
    const sids = Array.from({ length: 600 }, (_, i) => `s${i}`);
    const { take, answers, rows } = world({ nextOffset: null });
    const orgPartition = Object.assign(held(...sids), { epoch: 'e1' });
    answers.onRows = ({ nextOffset }) => (nextOffset < 0 ? { ok: true } : { ok: false, why: 'away' });
    expect(await take(orgPartition)).toBe(false);
    answers.onRows = () => ({ ok: true });
    rows.length = 0;
    expect(await take(orgPartition)).toBe(true);
    expect(new Set(sidsIn(rows))).toEqual(new Set(sids));
    expect(rows.at(-1)?.nextOffset).toBe(6);
  });

  it('writes only the dirty and the forgotten sensors in the same epoch', async () => {
    const { take, rows } = world({ nextOffset: 5 });
    const orgPartition = held('a', 'b');
    orgPartition.dirtyFacts.add('b');
    orgPartition.forgotten.add('c');
    expect(await take(orgPartition)).toBe(true);
    expect(sidsIn(rows)).toEqual(['b']);
    expect(rows.flatMap(({ forgotten }) => forgotten)).toEqual(['c']);
  });

  it('writes nothing before the leases of the earlier owner end, because its dispatches follow the presence in Redis', async () => {
    const delays: number[] = [];
    let [over, wait] = [() => {}, Promise.resolve()];
    const { take, rows } = world({
      nextOffset: 5,
      inFlight: [{ batch: 'b', untilMs: 800 }],
      delay: (ms) => {
        delays.push(ms);
        wait = new Promise((resolve) => {
          over = resolve;
        });
        return wait;
      },
    });
    const orgPartition = held('a');
    orgPartition.dirtyFacts.add('a');
    const taking = take(orgPartition);
    await new Promise((resolve) => setImmediate(resolve));
    expect([delays, rows]).toEqual([[801], []]);
    over();
    expect(await taking).toBe(true);
    expect(sidsIn(rows)).toEqual(['a']);
  });

  it('reports the sensors in memory that it replaces', async () => {
    const { take, gone } = world({ nextOffset: 8, pages: [[stored('a')]] });
    const orgPartition = held('a', 'b');
    const before = [...orgPartition.sensors.values()];
    expect(await take(orgPartition)).toBe(true);
    expect(gone).toEqual(before);
    expect(orgPartition.sensors.get('a')).not.toBe(before[0]);
  });
});
