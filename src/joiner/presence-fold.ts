/**
 * A batch of presence records against the seats of one partition: what changed, what has to be written, which sensors are
 * to be matched. No I/O; the seats are changed in place.
 */
import type { SensorPresence } from '../model/records.ts';
import { dropExpired, fold, newSensor, toState } from '../model/sensor.ts';
import { connectionHashOf, findOrAddSensor, type OrgPartition, refresh, type Sensor } from './org-partition.ts';

export type PresenceStep = { offset: number; presence: SensorPresence };
export type StateToWrite = { oid: string; sid: string; partition: number; state: ReturnType<typeof toState> | null };
export type Folded = {
  states: StateToWrite[];
  toMatch: Set<Sensor>;
  touched: Set<OrgPartition>;
  /** Sensors that were forgotten. */
  gone: Sensor[];
  /** Tags for which a sensor had no room. */
  passedOver: { oid: string; sid: string; tags: number }[];
};

/** An online sensor's state is written again after this long, so that the topic tells that it is still there. */
const STATE_AGAIN_MS = 86_400_000;

/** `seats` by oid. A record of an org without a seat, or below the seat's offset, is passed over. */
export function foldBatch(orgPartitions: Map<string, OrgPartition>, steps: PresenceStep[], nowMs: number): Folded {
  const folded: Folded = { states: [], toMatch: new Set(), touched: new Set(), gone: [], passedOver: [] };
  const changed = new Set<Sensor>();
  for (const { offset, presence } of steps) {
    const orgPartition = orgPartitions.get(presence.oid);
    if (!orgPartition?.loaded || offset < orgPartition.nextOffset) continue;
    folded.touched.add(orgPartition);
    if (presence.event === 'FORGOTTEN') forget(orgPartition, presence.sid, folded, changed);
    else if (orgPartition.sensors.has(presence.sid) || makesKnown(presence))
      take(orgPartition, presence, offset, nowMs, changed, folded);
  }
  for (const sensor of changed) {
    refresh(sensor, nowMs);
    sensor.orgPartition.dirtyFacts.add(sensor.sid);
    folded.states.push(stateOf(sensor, nowMs));
  }
  return folded;
}

/** Nobody becomes known by leaving, nor by being asked to try. */
const makesKnown = ({ event, sensor, add_tags, remove_tags, set_should_isolate }: SensorPresence): boolean =>
  event === 'CONNECTED' ||
  (event === 'UPDATED' &&
    (sensor !== null || add_tags.length > 0 || remove_tags.length > 0 || set_should_isolate !== null));

function take(
  orgPartition: OrgPartition,
  presence: SensorPresence,
  offset: number,
  nowMs: number,
  changed: Set<Sensor>,
  folded: Folded,
): void {
  const known = orgPartition.sensors.has(presence.sid);
  const sensor = findOrAddSensor(orgPartition, presence.sid, nowMs);
  if (offset < sensor.nextOffset) return; // a row that was written ahead of the stored offset, which a crash left behind
  sensor.nextOffset = offset + 1;
  const effect = fold(sensor, presence);
  if (effect.passedOver > 0)
    folded.passedOver.push({ oid: orgPartition.oid, sid: sensor.sid, tags: effect.passedOver });
  if (effect.connected) {
    sensor.connectionHash = connectionHashOf(sensor.connectionId);
    sensor.connectedAtMs = nowMs;
  } else if (effect.retry) sensor.connectionHash = connectionHashOf(sensor.connectionId, offset);
  const stale = sensor.online ? nowMs - sensor.stateAtMs >= STATE_AGAIN_MS : effect.disconnected && sensor.stateOnline;
  if (effect.changed || stale || !known) changed.add(sensor);
  if (sensor.online && (effect.retry || effect.changed)) folded.toMatch.add(sensor);
  orgPartition.dirtyRows.add(sensor.sid);
}

function stateOf(sensor: Sensor, nowMs: number): StateToWrite {
  sensor.stateOnline = sensor.online;
  sensor.stateAtMs = nowMs;
  return { oid: sensor.oid, sid: sensor.sid, partition: sensor.orgPartition.partition, state: toState(sensor) };
}

function forget(orgPartition: OrgPartition, sid: string, folded: Folded, changed: Set<Sensor>): void {
  const sensor = orgPartition.sensors.get(sid);
  if (sensor) {
    Object.assign(sensor, newSensor(orgPartition.oid, sid));
    folded.gone.push(sensor);
    changed.delete(sensor);
    folded.toMatch.delete(sensor);
    orgPartition.expiring.delete(sensor);
    orgPartition.sensors.delete(sid);
  }
  orgPartition.dirtyFacts.delete(sid);
  orgPartition.dirtyRows.delete(sid);
  orgPartition.forgotten.add(sid);
  folded.states.push({ oid: orgPartition.oid, sid, partition: orgPartition.partition, state: null });
}

/** Sensors of which a tag has run out by now: what selectors see is different, and what they match. */
export function dropExpiredTags(orgPartition: OrgPartition, nowMs: number): Sensor[] {
  const affected: Sensor[] = [];
  for (const sensor of orgPartition.expiring) {
    if (!dropExpired(sensor, nowMs)) continue;
    orgPartition.dirtyFacts.add(sensor.sid);
    const had = (sensor.record.tags as readonly string[] | undefined)?.length ?? 0;
    refresh(sensor, nowMs);
    if (((sensor.record.tags as readonly string[] | undefined)?.length ?? 0) !== had) affected.push(sensor);
  }
  return affected;
}
