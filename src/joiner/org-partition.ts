/**
 * A seat: the sensors of one org in one presence partition, as their owner holds them. The token proves the ownership to
 * Redis. A seat dispatches only while it is live: its token is taken, the claims of the owner before are over, and presence
 * has been read up to where the log ended when the token was taken.
 */
import { hashOf } from '../model/ids.ts';
import type { SensorState } from '../model/records.ts';
import { newSensor, nextTagExpiryMs, type SensorView, toState } from '../model/sensor.ts';
import type { PresenceRow, Projection, SensorRows, Why } from '../projector/projection.ts';
import { recordOf, type SelectorRecord } from '../selector/index.ts';

export type Sensor = SensorView & {
  orgPartition: OrgPartition;
  /** What selectors see. Replaced, never changed, when facts change. */
  record: SelectorRecord;
  /** Names the open connection in claims; another one means that what is outstanding is due at once. */
  connectionHash: string;
  /** Wall clock of the process when the connection opened. */
  connectedAtMs: number;
  /** The last SensorState written says that the sensor is online, and when it was written (Unix ms). */
  stateOnline: boolean;
  stateAtMs: number;
  /** Older records are in it already, though the seat may have to read them again. */
  nextOffset: number;
};

export type OrgPartition = {
  readonly oid: string;
  readonly partition: number;
  epoch: string;
  /** null: not (or no longer) the owner. */
  fencingToken: string | null;
  live: boolean;
  /** Next presence offset to fold in. */
  nextOffset: number;
  /** Presence has to be read up to here before the seat is live. */
  liveAt: number;
  /** The sensors are complete up to `nextOffset`. */
  loaded: boolean;
  /** Claims of earlier owners that were never confirmed; taken up, then cleared, when the seat is live. */
  deadBatches: string[];
  readonly sensors: Map<string, Sensor>;
  /** What Redis has not got yet. */
  /** What Redis has of the seat is of an older time than this: it goes when the next rows are written, all of which are dirty. */
  replaces: boolean;
  readonly dirtyFacts: Set<string>;
  readonly dirtyRows: Set<string>;
  readonly forgotten: Set<string>;
  /** Rows that were taken out for Redis, and of which it is not known yet whether it has taken them. */
  rowsUnderWay: number;
  /** Batches that are folded in, and whose states are not known to be on `sensor-state` yet. */
  statesUnderWay: number;
  /** Sensors with a tag that runs out. */
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

export const connectionHashOf = (connectionId: string | null, salt: number | string = ''): string =>
  hashOf('tag', connectionId ?? '', salt).slice(0, 8);

/** Puts a sensor into its seat, computing what is derived. */
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

/** Computes anew what selectors see. */
export function refresh(sensor: Sensor, nowMs: number): void {
  sensor.record = recordOf(sensor, nowMs);
  if (nextTagExpiryMs(sensor, nowMs) === Number.POSITIVE_INFINITY) sensor.orgPartition.expiring.delete(sensor);
  else sensor.orgPartition.expiring.add(sensor);
}

const rowOf = (sensor: Sensor): PresenceRow => ({
  online: sensor.online,
  connectionId: sensor.connectionId,
  aliveAtMs: sensor.aliveAtMs,
  confirms: sensor.confirms,
  sinceMs: sensor.sinceMs,
  closed: sensor.closed,
  replaced: sensor.replaced,
  nextOffset: sensor.nextOffset,
});

/** In a part that is not the last: the stored offset stays. */
const NO_OFFSET = -1;

/** Rows in one script: it must not hold Redis for more than a few milliseconds. */
const ROWS_PER_SCRIPT = 500;

/** Takes what is dirty out of the seat, as rows for Redis, of which each is to be told to `rowsTaken` or `restoreRows`. The last
 *  part carries the offset, and there is always one; but behind rows that are still under way the stored offset stays: if those
 *  fail and the process dies, whoever loads the seat must not pass over the records that they came from. While states are under
 *  way nothing is taken out: the batch that they are of writes the rows after them, and rows ahead of the stored offset would be
 *  met by records that are older than they are. */
export function takeRows(orgPartition: OrgPartition, encode: (state: SensorState) => Buffer): SensorRows[] {
  const { oid, epoch, partition, fencingToken } = orgPartition;
  if (fencingToken === null) return [];
  const parts: SensorRows[] = [];
  const open = (): SensorRows => ({
    oid,
    epoch,
    partition,
    fencingToken,
    nextOffset: NO_OFFSET,
    live: false,
    replace: false,
    facts: [],
    presence: [],
    forgotten: [],
  });
  if (orgPartition.statesUnderWay > 0) {
    orgPartition.rowsUnderWay += 1;
    return [open()];
  }
  let part = { ...open(), replace: orgPartition.replaces };
  orgPartition.replaces = false;
  const roomFor = (rows: number): SensorRows => {
    if (part.facts.length + part.presence.length + part.forgotten.length + rows > ROWS_PER_SCRIPT) {
      parts.push(part);
      part = open();
    }
    return part;
  };
  for (const sid of new Set([...orgPartition.dirtyFacts, ...orgPartition.dirtyRows])) {
    const sensor = orgPartition.sensors.get(sid);
    if (!sensor) continue;
    const room = roomFor(2);
    if (orgPartition.dirtyFacts.has(sid)) room.facts.push({ sid, bytes: encode(toState(sensor)) });
    room.presence.push({ sid, row: rowOf(sensor) });
  }
  for (const sid of orgPartition.forgotten) if (!orgPartition.sensors.has(sid)) roomFor(1).forgotten.push(sid);
  orgPartition.dirtyFacts.clear();
  orgPartition.dirtyRows.clear();
  orgPartition.forgotten.clear();
  const isWhole = orgPartition.rowsUnderWay === 0;
  parts.push({
    ...part,
    nextOffset: isWhole ? orgPartition.nextOffset : NO_OFFSET,
    live: isWhole && orgPartition.live,
  });
  orgPartition.rowsUnderWay += parts.length;
  return parts;
}

/** Redis has taken these rows. */
export function rowsTaken(orgPartition: OrgPartition): void {
  orgPartition.rowsUnderWay -= 1;
}

/** Rows that Redis has not taken are dirty again. */
export function restoreRows(orgPartition: OrgPartition, { replace, facts, presence, forgotten }: SensorRows): void {
  if (replace) orgPartition.replaces = true;
  orgPartition.rowsUnderWay -= 1;
  for (const { sid } of facts) if (orgPartition.sensors.has(sid)) orgPartition.dirtyFacts.add(sid);
  for (const { sid } of presence) if (orgPartition.sensors.has(sid)) orgPartition.dirtyRows.add(sid);
  for (const sid of forgotten) orgPartition.forgotten.add(sid);
}

/** Empties the seat, to be loaded anew; answers the sensors that it held. */
export function clearOrgPartition(orgPartition: OrgPartition): Sensor[] {
  const gone = [...orgPartition.sensors.values()];
  for (const sensor of gone) sensor.online = false;
  orgPartition.loaded = false;
  orgPartition.replaces = false;
  for (const part of [
    orgPartition.sensors,
    orgPartition.dirtyFacts,
    orgPartition.dirtyRows,
    orgPartition.forgotten,
    orgPartition.expiring,
  ])
    part.clear();
  return gone;
}

/** Writes rows that were taken out of the seat. Answers why they were not all taken, or null; those are dirty again. */
export async function writeRows(
  projection: Pick<Projection, 'writeSensors'>,
  orgPartition: OrgPartition,
  requests: SensorRows[],
): Promise<Why | null> {
  let refused: Why | null = null;
  for (const request of requests) {
    // One after another: the last part carries the offset, which must not stand without the parts before it.
    refused ??= await writePart(projection, request);
    if (refused === null) rowsTaken(orgPartition);
    else restoreRows(orgPartition, request);
  }
  return refused;
}

async function writePart(projection: Pick<Projection, 'writeSensors'>, request: SensorRows): Promise<Why | null> {
  const [answer] = await projection.writeSensors([request]);
  return answer === undefined || answer.ok ? null : answer.why;
}

/** Redis is to have what memory has, and nothing else. */
export function markAllDirty(orgPartition: OrgPartition): void {
  orgPartition.replaces = true;
  for (const sid of orgPartition.sensors.keys()) {
    orgPartition.dirtyFacts.add(sid);
    orgPartition.dirtyRows.add(sid);
  }
}
