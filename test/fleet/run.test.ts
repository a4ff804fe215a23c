import { afterEach, describe, expect, it, vi } from 'vitest';
import { createCodec } from '../../src/edges/avro/codec.ts';
import { NO_MISHAPS, type Shares } from '../../src/fleet/answer.ts';
import { type Fleet, type FleetOptions, startFleet } from '../../src/fleet/run.ts';
import { RECORD_NAMES, type RecordName, type SensorEvent, type SensorPresence } from '../../src/model/records.ts';
import { dispatch } from './fixtures.ts';

const OID = dispatch().oid;
const topicOf = Object.fromEntries(RECORD_NAMES.map((name) => [name, name])) as Record<RecordName, string>;
const codec = createCodec({ topicOf });

const OPTIONS: FleetOptions = {
  oid: OID,
  sensors: 6,
  offline: 2,
  ratePerSecond: 0,
  seed: 1,
  cycle: false,
  shares: NO_MISHAPS,
};

/** A fleet on topics that are arrays. `failures`: so many sends are refused first. */
async function fleetInMemory(over: Partial<FleetOptions> = {}, failures = 0) {
  const presence: SensorPresence[] = [];
  const events: SensorEvent[] = [];
  const clock = { ms: 2_000 };
  let refused = 0;
  let listening = false;
  let hand: (records: { key: Buffer; value: Buffer }[]) => Promise<void> = async () => {};
  const fleet = await startFleet(
    { ...OPTIONS, ...over },
    {
      codec,
      sendPresence: async (records) => {
        expect(listening).toBe(true);
        if (refused++ < failures) throw new Error('no leader');
        presence.push(
          ...records.map(({ key, value }) => {
            const record = codec.decode('SensorPresence', value);
            expect(record.sid).toBe(key);
            return record;
          }),
        );
      },
      sendEvents: async (records) => events.push(...records.map(({ value }) => codec.decode('SensorEvent', value))),
      followDispatches: async (onRecords) => {
        hand = onRecords;
        listening = true;
        return {
          stop: async () => {
            listening = false;
          },
        };
      },
      close: async () => {},
      nowMs: () => clock.ms,
      log: { warn: () => {} },
    },
  );
  running = fleet;
  const connectionOf = (sid: string) => presence.findLast((record) => record.sid === sid)?.connection_id ?? '';
  const send = async (sid: string, overDispatch: object = {}) => {
    const record = dispatch({ sid, connection_id: connectionOf(sid), ...overDispatch });
    await hand([{ key: Buffer.from(sid), value: codec.encode('TaskDispatch', record) }]);
  };
  return {
    fleet,
    presence,
    events,
    clock,
    send,
    hand: (key: string, value: Buffer) => hand([{ key: Buffer.from(key), value }]),
  };
}

let running: Fleet | undefined;
afterEach(() => running?.stop());

describe('a fleet', () => {
  it('connects those that are online and announces the others, with all facts', async () => {
    const { fleet, presence } = await fleetInMemory();
    expect(presence.map(({ event }) => event)).toEqual([...Array(4).fill('CONNECTED'), ...Array(2).fill('UPDATED')]);
    expect(presence.map(({ sensor }) => sensor)).toEqual(fleet.sensors.map(({ facts }) => facts));
    expect(new Set(presence.slice(0, 4).map((record) => record.connection_id)).size).toBe(4);
    expect(presence.slice(4).map((record) => record.connection_id)).toEqual(['', '']);
    expect(fleet.stats()).toMatchObject({ sensors: 6, online: 4 });
  });

  it('uses another connection id at each connect', async () => {
    const { fleet, presence } = await fleetInMemory();
    const sid = fleet.sensors[5]?.sid ?? '';
    await fleet.connect(sid);
    await fleet.disconnect(sid);
    await fleet.connect(sid);
    const own = presence.filter((record) => record.sid === sid);
    expect(own.map(({ event }) => event)).toEqual(['UPDATED', 'CONNECTED', 'DISCONNECTED', 'CONNECTED']);
    expect(own[2]?.connection_id).toBe(own[1]?.connection_id);
    expect(own[3]?.connection_id).not.toBe(own[1]?.connection_id);
  });

  it('answers a dispatch, and its copy not again', async () => {
    const { fleet, events, send } = await fleetInMemory();
    const sid = fleet.sensors[0]?.sid ?? '';
    await send(sid);
    await send(sid);
    await vi.waitFor(() => expect(events.length).toBe(1));
    expect(events[0]).toMatchObject({ sid, event_type: 'OS_VERSION_REP', task_id: 't1' });
    expect(fleet.stats()).toMatchObject({ heard: 2, ran: 1, answers: 1, ignored: { copy: 1 } });
  });

  it('leaves alone what is for others, and what is no record', async () => {
    const { fleet, send, hand } = await fleetInMemory();
    const sid = fleet.sensors[0]?.sid ?? '';
    await send('somebody-else');
    await send(sid, { oid: 'b5a9d0a0-6f6c-4b57-9f0f-3f3c1f7c2f11' });
    await hand(sid, Buffer.from('no record'));
    expect(fleet.stats()).toMatchObject({ heard: 0, answers: 0, undecodable: 1 });
  });

  it('sends a copy of an answer with the same event id', async () => {
    const shares: Shares = { late: 0, twice: 1, error: 0 };
    const { fleet, events, send } = await fleetInMemory({ shares });
    await send(fleet.sensors[0]?.sid ?? '');
    await vi.waitFor(() => expect(events.length).toBe(2));
    expect(events[1]).toEqual(events[0]);
  });

  it('goes down on a restart, and comes back by another connection', async () => {
    const { fleet, presence, events, send } = await fleetInMemory();
    const sid = fleet.sensors[0]?.sid ?? '';
    await send(sid, { task: 'restart' });
    await vi.waitFor(() => expect(presence.filter((record) => record.sid === sid).length).toBe(3), 10_000);
    const own = presence.filter((record) => record.sid === sid);
    expect(own.map(({ event }) => event)).toEqual(['CONNECTED', 'DISCONNECTED', 'CONNECTED']);
    expect(events).toEqual([]);
  });

  it('moves by its schedule, and without cycle never those that were offline', async () => {
    const { fleet, presence, clock } = await fleetInMemory({ ratePerSecond: 10 });
    clock.ms += 10_000;
    await vi.waitFor(() => expect(presence.length).toBe(6 + 100));
    const offline = fleet.sensors.slice(4).map(({ sid }) => sid);
    expect(presence.slice(6).filter(({ sid }) => offline.includes(sid))).toEqual([]);
  });

  it('moves everybody with cycle', async () => {
    const { fleet, presence, clock } = await fleetInMemory({ ratePerSecond: 10, cycle: true });
    clock.ms += 10_000;
    await vi.waitFor(() => expect(presence.length).toBe(6 + 100));
    expect(new Set(presence.slice(6).map(({ sid }) => sid)).size).toBe(fleet.sensors.length);
  });

  it('writes again what Kafka did not take, once', async () => {
    const { presence } = await fleetInMemory({}, 1);
    expect(presence.length).toBe(6);
  });

  it('disconnects whoever is connected when it stops, and stops once', async () => {
    const { fleet, presence } = await fleetInMemory();
    await Promise.all([fleet.stop(), fleet.stop()]);
    const last = new Map(presence.map((record) => [record.sid, record.event]));
    expect([...last.values()].filter((event) => event === 'DISCONNECTED').length).toBe(4);
    expect(fleet.stats().online).toBe(0);
  });
});
