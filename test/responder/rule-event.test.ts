/** Events as rules see them. */
import { describe, expect, it } from 'vitest';
import type { SensorEvent, SensorPresence, TaskEvent } from '../../src/model/records.ts';
import { newSensor } from '../../src/model/sensor.ts';
import { Connections } from '../../src/responder/connections.ts';
import { fromConnect, fromSensorEvent, fromTaskEvent } from '../../src/responder/rule-event.ts';

const facts = {
  iid: 'i',
  did: 'd',
  hostname: 'ws-01',
  ext_ip: '1.2.3.4',
  int_ip: '10.0.0.1',
  mac_addr: 'aa',
  plat: 0xf0000000 | 0,
  ext_plat: 0,
  arch: 2,
  enroll: null,
  isolated: true,
  should_isolate: false,
  kernel: true,
  tags: ['own'],
};
const sensor = {
  ...newSensor('o', 's'),
  facts,
  online: true,
  platformTags: new Map([['set', null]]),
  removedTags: new Set(['own']),
};
const record: SensorEvent = {
  oid: 'o',
  sid: 's',
  event_type: 'RECEIPT',
  event_id: 'e',
  occurred_at: 5,
  investigation_id: null,
  task_id: 't',
  routing: '',
  event: '',
};

describe('an event of a sensor', () => {
  it("takes fields from the record, then from its routing, then from the sensor, and the sensor's effective tags", () => {
    const routing = { sid: 'forged', event_type: 'forged', hostname: 'own name', tags: ['forged'], extra: 1 };
    const { view, online, did } = fromSensorEvent(record, { routing, event: { A: 1 } }, sensor, 'ctx/t', 9);
    expect(view).toEqual({
      routing: {
        oid: 'o',
        sid: 's',
        event_type: 'RECEIPT',
        event_id: 'e',
        event_time: 5,
        investigation_id: 'ctx/t',
        hostname: 'own name',
        plat: 0xf0000000,
        arch: 2,
        iid: 'i',
        did: 'd',
        ext_ip: '1.2.3.4',
        int_ip: '10.0.0.1',
        tags: ['set'],
        extra: 1,
      },
      event: { A: 1 },
    });
    expect([online, did]).toEqual([true, 'd']);
  });

  it('takes the investigation id of the record, then that of its routing, then that of its task', () => {
    const inv = (own: string | null, routing: object) =>
      (
        fromSensorEvent({ ...record, investigation_id: own }, { routing: { ...routing }, event: {} }, null, 'task', 9)
          .view.routing as Record<string, unknown>
      ).investigation_id;
    expect([
      inv('own', { investigation_id: 'routing' }),
      inv(null, { investigation_id: 'routing' }),
      inv(null, {}),
    ]).toEqual(['own', 'routing', 'task']);
  });

  it('counts the rules that acted before', () => {
    expect(
      fromSensorEvent({ ...record, task_id: 'rule-3-abc' }, { routing: {}, event: {} }, null, undefined, 9).depth,
    ).toBe(3);
    expect(
      fromSensorEvent(
        { ...record, task_id: null },
        { routing: { investigation_id: 'ctx/rule-2-a' }, event: {} },
        null,
        undefined,
        9,
      ).depth,
    ).toBe(2);
  });
});

const presence: SensorPresence = {
  event: 'CONNECTED',
  oid: 'o',
  sid: 's',
  connection_id: 'c1',
  occurred_at: 7,
  sensor: facts,
  add_tags: [],
  remove_tags: [],
  set_should_isolate: null,
  try_now: false,
};

describe('a connect', () => {
  it('is the event CONNECTED, with one id for each connection', () => {
    const connected = fromConnect(presence, sensor, 9);
    expect(connected.view).toMatchObject({
      routing: { event_type: 'CONNECTED', event_time: 7, hostname: 'ws-01', tags: ['set'] },
      event: { HOST_NAME: 'ws-01', MAC_ADDRESS: 'aa', IS_SEGREGATED: 1, KERNEL_ACQ_AVAILABLE: 1 },
    });
    expect(fromConnect(presence, sensor, 10).eventId).toBe(connected.eventId);
    expect(fromConnect({ ...presence, connection_id: 'c2' }, sensor, 9).eventId).not.toBe(connected.eventId);
  });

  it('is known the second time, as long as it is remembered', () => {
    const connections = new Connections(2);
    connections.note(presence);
    expect(connections.isKnown(presence)).toBe(true);
    expect(connections.isKnown({ ...presence, connection_id: 'c2' })).toBe(false);
    for (const sid of ['a', 'b']) connections.note({ ...presence, sid });
    expect(connections.isKnown(presence)).toBe(false);
  });
});

it('an attempt that is not confirmed is the activities try_task and task_sent of the extension', () => {
  const sent: TaskEvent = {
    type: 'TASK_SENT',
    event_id: 'e',
    oid: 'o',
    task_id: 't',
    sid: 's',
    attempt: 1,
    occurred_at: 5,
    detail: '{"confirms":false}',
  };
  const events = fromTaskEvent(sent);
  expect(events.map(({ type }) => type)).toEqual(['try_task', 'task_sent']);
  expect(events[0]?.view).toMatchObject({
    routing: { hostname: 'ext-reliable-tasking' },
    event: { task_id: 't', sid: 's' },
  });
});
