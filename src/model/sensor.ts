/**
 * A sensor as the fold of its presence records, taken in the order of their partition. Pure: `fold` changes the sensor that
 * it is given and says what happened; it reads no clock.
 *
 * A sensor is online from CONNECTED until DISCONNECTED of the same connection, or until the next CONNECTED with another one.
 * A CONNECTED whose connection was already disconnected changes nothing, nor does a copy of one: of the open connection, or
 * of one that was replaced, unless it is younger than what replaced it. Neither does a DISCONNECTED of a connection that is not
 * the open one. The last few connections are remembered for that. Facts that are not sent stay as last known.
 */
import type { PlatformTag, SensorFacts, SensorPresence, SensorState } from './records.ts';
import { isFull } from './tag-room.ts';

export type SensorView = {
  oid: string;
  sid: string;
  facts: SensorFacts | null;
  /** Tags set by API and rules, with the time (Unix ms) at which they run out, or null. */
  platformTags: Map<string, number | null>;
  /** Tags taken away by API and rules: they stay away though the sensor reports them. */
  removedTags: Set<string>;
  /** null: neither API nor rules have set it. */
  shouldIsolate: boolean | null;
  /** When the sensor was heard of last, Unix ms; 0: never, for all that the platform may have set on it. */
  aliveAtMs: number;
  online: boolean;
  /** The open connection, or the last that was closed; null before the first. */
  connectionId: string | null;
  /** When it connected or disconnected last, Unix ms. */
  sinceMs: number;
  /** The last connections that were disconnected, and that were replaced by another while open; the latest last. */
  closed: readonly string[];
  replaced: readonly string[];
  /** Has confirmed a delivery at least once. */
  confirms: boolean;
};

const REMEMBERED = 4;
const NONE: readonly string[] = [];

export type PresenceEffect = {
  /** Facts, tags or isolation are different now. */
  changed: boolean;
  /** A new connection is open, or what is outstanding is to be tried at once. */
  retry: boolean;
  connected: boolean;
  disconnected: boolean;
  forgotten: boolean;
  /** Tags to set or to take away for which there is no room. */
  passedOver: number;
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
  passedOver: 0,
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

/** The CONNECTED is a copy, or of a connection that has ended. */
const isOver = ({ connectionId, closed, replaced, sinceMs }: SensorView, record: SensorPresence): boolean =>
  record.connection_id === connectionId ||
  closed.includes(record.connection_id) ||
  (record.occurred_at <= sinceMs && replaced.includes(record.connection_id));

/** API and rules tag and isolate sensors by records too; those are no evidence that the sensor is there. */
const isFromSensor = ({ event, connection_id, sensor }: SensorPresence): boolean =>
  event !== 'UPDATED' || connection_id !== '' || sensor !== null;

function takeFacts(sensor: SensorView, record: SensorPresence): Pick<PresenceEffect, 'changed' | 'passedOver'> {
  let changed = false;
  let passedOver = 0;
  if (isFromSensor(record)) sensor.aliveAtMs = Math.max(sensor.aliveAtMs, record.occurred_at);
  if (record.sensor !== null && !sameFacts(sensor.facts, record.sensor)) {
    sensor.facts = record.sensor;
    changed = true;
  }
  for (const { tag, expires_at } of record.add_tags) {
    if (sensor.removedTags.delete(tag)) changed = true;
    if (sensor.platformTags.get(tag) === expires_at) continue;
    if (isFull(sensor.platformTags, tag)) passedOver += 1;
    else {
      sensor.platformTags.set(tag, expires_at);
      changed = true;
    }
  }
  for (const tag of record.remove_tags) {
    if (sensor.platformTags.delete(tag)) changed = true;
    if (sensor.removedTags.has(tag)) continue;
    if (isFull(sensor.removedTags, tag)) passedOver += 1;
    else {
      sensor.removedTags.add(tag);
      changed = true;
    }
  }
  if (record.set_should_isolate !== null && record.set_should_isolate !== sensor.shouldIsolate) {
    sensor.shouldIsolate = record.set_should_isolate;
    changed = true;
  }
  return { changed, passedOver };
}

const PLAIN = [
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
  for (const field of PLAIN) if (a[field] !== b[field]) return false;
  return a.tags.length === b.tags.length && a.tags.every((tag, i) => tag === b.tags[i]);
}

/** What the sensor reports and what the platform has set, less what has run out and what was removed. */
export function effectiveTags(sensor: SensorView, nowMs: number): string[] {
  if (sensor.platformTags.size === 0 && sensor.removedTags.size === 0) return sensor.facts?.tags ?? [];
  const tags = new Set(sensor.facts?.tags ?? []);
  for (const [tag, expiresAtMs] of sensor.platformTags) if (expiresAtMs === null || expiresAtMs > nowMs) tags.add(tag);
  for (const tag of sensor.removedTags) tags.delete(tag);
  return [...tags];
}

/** Forgets platform tags that have run out: they say nothing any more. Tells whether there were any. */
export function dropExpired(sensor: SensorView, nowMs: number): boolean {
  let dropped = false;
  for (const [tag, expiresAtMs] of sensor.platformTags)
    if (expiresAtMs !== null && expiresAtMs <= nowMs) dropped = sensor.platformTags.delete(tag);
  return dropped;
}

/** The next time (Unix ms) at which a platform tag runs out, or Infinity. */
export function nextTagExpiryMs(sensor: SensorView, nowMs: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const expiresAtMs of sensor.platformTags.values())
    if (expiresAtMs !== null && expiresAtMs > nowMs && expiresAtMs < next) next = expiresAtMs;
  return next;
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
