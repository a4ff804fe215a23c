/**
 * A sensor is the fold of its presence records, applied in the order of their partition. Pure: `fold` changes the sensor that it
 * gets and reports what happened. It reads no clock.
 *
 * A sensor is online from CONNECTED until DISCONNECTED of the same connection, or until CONNECTED of another one. These records
 * change nothing:
 *  - a CONNECTED of the open connection, or of one that has been disconnected;
 *  - a CONNECTED of a connection that another one replaced, unless the record is newer than the connection that is open now;
 *  - a DISCONNECTED of a connection that is not open.
 * The sensor remembers its last few connections for this. A record without facts keeps the last known facts.
 */
import type { PlatformTag, SensorFacts, SensorPresence, SensorState } from './records.ts';
import { changeTags, type SensorTags } from './tags.ts';

export type SensorView = SensorTags & {
  oid: string;
  sid: string;
  facts: SensorFacts | null;
  /** null: neither the API nor a rule has set it. */
  shouldIsolate: boolean | null;
  /** When the sensor was last heard of, Unix ms. 0: never; the API or a rule may still have set tags or isolation on it. */
  aliveAtMs: number;
  online: boolean;
  /** The open connection, else the last one that was closed; null before the first. */
  connectionId: string | null;
  /** When the sensor last connected or disconnected, Unix ms. */
  sinceMs: number;
  /** The last connections that were disconnected, the latest last. */
  closed: readonly string[];
  /** The last connections that another one replaced while they were open, the latest last. */
  replaced: readonly string[];
  /** The sensor has confirmed a delivery at least once. */
  confirms: boolean;
};

const REMEMBERED = 4;
const NONE: readonly string[] = [];

export type PresenceEffect = {
  /** Facts, tags or isolation have changed. */
  changed: boolean;
  /** A new connection is open, or the record asks to try its deliveries at once. */
  retry: boolean;
  connected: boolean;
  disconnected: boolean;
  forgotten: boolean;
  /** Number of tags that were above the limit. */
  ignoredTags: number;
};

export const newSensor = (oid: string, sid: string): SensorView => ({
  oid,
  sid,
  facts: null,
  platformTags: new Map(),
  removedTags: new Set(),
  shouldIsolate: null,
  aliveAtMs: 0,
  online: false,
  connectionId: null,
  sinceMs: 0,
  closed: NONE,
  replaced: NONE,
  confirms: false,
});

const NOTHING: PresenceEffect = {
  changed: false,
  retry: false,
  connected: false,
  disconnected: false,
  forgotten: false,
  ignoredTags: 0,
};

export function fold(sensor: SensorView, record: SensorPresence): PresenceEffect {
  switch (record.event) {
    case 'CONNECTED':
      if (isOver(sensor, record)) return NOTHING;
      if (sensor.online && sensor.connectionId !== null)
        sensor.replaced = remember(sensor.replaced, sensor.connectionId);
      sensor.online = true;
      sensor.connectionId = record.connection_id;
      sensor.sinceMs = record.occurred_at;
      return { ...NOTHING, ...takeFacts(sensor, record), retry: true, connected: true };
    case 'DISCONNECTED':
      if (sensor.replaced.includes(record.connection_id)) sensor.closed = remember(sensor.closed, record.connection_id);
      if (!sensor.online || record.connection_id !== sensor.connectionId) return NOTHING;
      sensor.online = false;
      sensor.sinceMs = record.occurred_at;
      sensor.closed = remember(sensor.closed, record.connection_id);
      return { ...NOTHING, ...takeFacts(sensor, record), disconnected: true };
    case 'UPDATED':
      return { ...NOTHING, ...takeFacts(sensor, record), retry: record.try_now && sensor.online };
    case 'FORGOTTEN':
      return { ...NOTHING, forgotten: true };
  }
}

const remember = (ids: readonly string[], id: string): readonly string[] =>
  [...ids.filter((known) => known !== id), id].slice(-REMEMBERED);

/** The CONNECTED is a copy, or its connection has ended. */
const isOver = ({ connectionId, closed, replaced, sinceMs }: SensorView, record: SensorPresence): boolean =>
  record.connection_id === connectionId ||
  closed.includes(record.connection_id) ||
  (record.occurred_at <= sinceMs && replaced.includes(record.connection_id));

/** The API and rules write presence records too. Those do not prove that the sensor is alive. */
const isFromSensor = ({ event, connection_id, sensor }: SensorPresence): boolean =>
  event !== 'UPDATED' || connection_id !== '' || sensor !== null;

function takeFacts(sensor: SensorView, record: SensorPresence): Pick<PresenceEffect, 'changed' | 'ignoredTags'> {
  if (isFromSensor(record)) sensor.aliveAtMs = Math.max(sensor.aliveAtMs, record.occurred_at);
  const tags = changeTags(sensor, record);
  let { changed } = tags;
  if (record.sensor !== null && !sameFacts(sensor.facts, record.sensor)) {
    sensor.facts = record.sensor;
    changed = true;
  }
  if (record.set_should_isolate !== null && record.set_should_isolate !== sensor.shouldIsolate) {
    sensor.shouldIsolate = record.set_should_isolate;
    changed = true;
  }
  return { changed, ignoredTags: tags.ignored };
}

/** The facts that are compared by value; `tags` is compared item by item. */
const COMPARED = [
  'iid',
  'did',
  'hostname',
  'ext_ip',
  'int_ip',
  'mac_addr',
  'plat',
  'ext_plat',
  'arch',
  'enroll',
  'isolated',
  'should_isolate',
  'kernel',
] as const satisfies (keyof SensorFacts)[];

function sameFacts(a: SensorFacts | null, b: SensorFacts): boolean {
  if (a === null) return false;
  for (const field of COMPARED) if (a[field] !== b[field]) return false;
  return a.tags.length === b.tags.length && a.tags.every((tag, i) => tag === b.tags[i]);
}

export function toState(sensor: SensorView): SensorState {
  return {
    oid: sensor.oid,
    sid: sensor.sid,
    sensor: sensor.facts,
    platform_tags: [...sensor.platformTags].map(([tag, expires_at]): PlatformTag => ({ tag, expires_at })),
    removed_tags: [...sensor.removedTags],
    should_isolate: sensor.shouldIsolate,
    alive_at: sensor.aliveAtMs,
    connection_id: sensor.online ? sensor.connectionId : null,
  };
}

export function fromState(state: SensorState): SensorView {
  return {
    ...newSensor(state.oid, state.sid),
    facts: state.sensor,
    platformTags: new Map(state.platform_tags.map(({ tag, expires_at }) => [tag, expires_at])),
    removedTags: new Set(state.removed_tags),
    shouldIsolate: state.should_isolate,
    aliveAtMs: state.alive_at,
    online: state.connection_id !== null,
    connectionId: state.connection_id,
    sinceMs: state.alive_at,
  };
}
