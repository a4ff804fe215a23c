/**
 * An org partition: the sensors of one org in one presence partition, as their owner holds them in memory.
 *
 * The fencing token proves the ownership to Redis. An org partition sends only while it is live:
 *  - this process has a fencing token for it;
 *  - the leases of the earlier owner's claims have ended;
 *  - presence has been read to the end that the log had when the token was taken.
 */
import { hashOf } from '../model/ids.ts';
import { newSensor, type SensorView } from '../model/sensor.ts';
import { nextTagExpiryMs } from '../model/tags.ts';
import type { SelectorRecord } from '../selector/predicate.ts';
import { recordOf } from '../selector/sensor/sensor-record.ts';

export type Sensor = SensorView & {
  orgPartition: OrgPartition;
  /** What selectors see. Replaced, never changed, when the facts change. */
  record: SelectorRecord;
  /** Identifies the open connection in claims. When it differs from that of the last attempt, a delivery is due at once. */
  connectionHash: string;
  /** When the connection opened, by the wall clock of the process. */
  connectedAtMs: number;
  /** The last SensorState on the log says that the sensor is online. */
  stateOnline: boolean;
  /** When the last SensorState was written, Unix ms. */
  stateAtMs: number;
  /** Presence records below this offset are folded in already, although the org partition may have to read them again. */
  nextOffset: number;
};

export type OrgPartition = {
  readonly oid: string;
  readonly partition: number;
  epoch: string;
  /** null: this process is not (or no longer) the owner. */
  fencingToken: string | null;
  live: boolean;
  /** Next presence offset to fold in. */
  nextOffset: number;
  /** Presence has to be read up to this offset before the org partition is live. */
  liveAt: number;
  /** The sensors are complete up to `nextOffset`. */
  loaded: boolean;
  /** Claim batches of earlier owners that were never confirmed. They are confirmed after the first match of the live org partition. */
  deadBatches: string[];
  readonly sensors: Map<string, Sensor>;
  /** The rows in Redis are older than this process's: the next write replaces all of them. Every sensor is dirty then. */
  replaces: boolean;
  /** What Redis does not have yet: sensors with new facts, sensors with new presence, forgotten sensors. */
  readonly dirtyFacts: Set<string>;
  readonly dirtyRows: Set<string>;
  readonly forgotten: Set<string>;
  /** Number of row parts that were taken out for Redis and not answered yet. */
  rowsUnderWay: number;
  /** Number of batches that are folded in and whose states may not be on `sensor-state` yet. */
  statesUnderWay: number;
  /** Sensors with a tag that expires. */
  readonly expiring: Set<Sensor>;
};

export const newOrgPartition = (oid: string, partition: number): OrgPartition => ({
  oid,
  partition,
  epoch: '',
  fencingToken: null,
  live: false,
  nextOffset: 0,
  liveAt: 0,
  loaded: false,
  deadBatches: [],
  replaces: false,
  sensors: new Map(),
  dirtyFacts: new Set(),
  dirtyRows: new Set(),
  forgotten: new Set(),
  rowsUnderWay: 0,
  statesUnderWay: 0,
  expiring: new Set(),
});

/** `salt`: makes another hash of the same connection, so that its deliveries are due again. */
export const connectionHashOf = (connectionId: string | null, salt: number | string = ''): string =>
  hashOf('tag', connectionId ?? '', salt).slice(0, 8);

/** Adds a sensor and computes what is derived from its facts. */
export function addSensor(orgPartition: OrgPartition, view: SensorView, nowMs: number): Sensor {
  const sensor = Object.assign(view, {
    orgPartition,
    record: {} as SelectorRecord,
    connectionHash: connectionHashOf(view.connectionId),
    connectedAtMs: nowMs,
    stateOnline: view.online,
    stateAtMs: 0,
    nextOffset: 0,
  });
  orgPartition.sensors.set(sensor.sid, sensor);
  refresh(sensor, nowMs);
  return sensor;
}

export const findOrAddSensor = (orgPartition: OrgPartition, sid: string, nowMs: number): Sensor =>
  orgPartition.sensors.get(sid) ?? addSensor(orgPartition, newSensor(orgPartition.oid, sid), nowMs);

/** Computes again what selectors see. */
export function refresh(sensor: Sensor, nowMs: number): void {
  sensor.record = recordOf(sensor, nowMs);
  if (nextTagExpiryMs(sensor, nowMs) === Number.POSITIVE_INFINITY) sensor.orgPartition.expiring.delete(sensor);
  else sensor.orgPartition.expiring.add(sensor);
}

/** Removes all sensors, so that they can be loaded again. Returns the removed ones. */
export function clearOrgPartition(orgPartition: OrgPartition): Sensor[] {
  const removed = [...orgPartition.sensors.values()];
  for (const sensor of removed) sensor.online = false;
  orgPartition.loaded = false;
  orgPartition.replaces = false;
  for (const collection of [
    orgPartition.sensors,
    orgPartition.dirtyFacts,
    orgPartition.dirtyRows,
    orgPartition.forgotten,
    orgPartition.expiring,
  ])
    collection.clear();
  return removed;
}

/** Gives up the ownership. The sensors stay in memory. */
export function release(orgPartition: OrgPartition): void {
  orgPartition.live = false;
  orgPartition.fencingToken = null;
}
