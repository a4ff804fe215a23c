/**
 * Folds a batch of presence records into the org partitions of one presence partition. Reports which states have to be written,
 * which sensors have to be matched, and which org partitions have new rows. No I/O; changes the org partitions in place.
 */
import type { SensorPresence } from '../model/records.ts';
import { fold, newSensor, toState } from '../model/sensor.ts';
import { dropExpired } from '../model/tags.ts';
import { connectionHashOf, findOrAddSensor, type OrgPartition, refresh, type Sensor } from './org-partition.ts';

export type PresenceStep = { offset: number; presence: SensorPresence };
/** `state` null: a tombstone. */
export type StateToWrite = { oid: string; sid: string; partition: number; state: ReturnType<typeof toState> | null };
export type Folded = {
  states: StateToWrite[];
  toMatch: Set<Sensor>;
  /** Org partitions that had a record in the batch. */
  touched: Set<OrgPartition>;
  forgotten: Sensor[];
  /** Number of tags above a sensor's limit. */
  ignoredTags: { oid: string; sid: string; tags: number }[];
};

/** The state of an online sensor is written again after this time: a reader of the topic sees that the sensor still exists. */
const STATE_AGAIN_MS = 86_400_000;

/** `orgPartitions` by oid. Skips records of an org without an org partition, and records below the org partition's offset. */
export function foldBatch(orgPartitions: Map<string, OrgPartition>, steps: PresenceStep[], nowMs: number): Folded {
  const folded: Folded = { states: [], toMatch: new Set(), touched: new Set(), forgotten: [], ignoredTags: [] };
  const changed = new Set<Sensor>();
  for (const { offset, presence } of steps) {
    const orgPartition = orgPartitions.get(presence.oid);
    if (!orgPartition?.loaded || offset < orgPartition.nextOffset) continue;
    folded.touched.add(orgPartition);
    if (presence.event === 'FORGOTTEN') forget(orgPartition, presence.sid, folded, changed);
    else if (orgPartition.sensors.has(presence.sid) || addsSensor(presence))
      foldRecord(orgPartition, presence, offset, nowMs, changed, folded);
  }
  for (const sensor of changed) {
    refresh(sensor, nowMs);
    sensor.orgPartition.dirtyFacts.add(sensor.sid);
    folded.states.push(stateToWrite(sensor, nowMs));
  }
  return folded;
}

/** An unknown sensor is not added by a DISCONNECTED, nor by a request to try now. */
const addsSensor = ({ event, sensor, add_tags, remove_tags, set_should_isolate }: SensorPresence): boolean =>
  event === 'CONNECTED' ||
  (event === 'UPDATED' &&
    (sensor !== null || add_tags.length > 0 || remove_tags.length > 0 || set_should_isolate !== null));

function foldRecord(
  orgPartition: OrgPartition,
  presence: SensorPresence,
  offset: number,
  nowMs: number,
  changed: Set<Sensor>,
  folded: Folded,
): void {
  const known = orgPartition.sensors.has(presence.sid);
  const sensor = findOrAddSensor(orgPartition, presence.sid, nowMs);
  if (offset < sensor.nextOffset) return; // before a crash, this row was written ahead of the stored offset
  sensor.nextOffset = offset + 1;
  const effect = fold(sensor, presence);
  if (effect.ignoredTags > 0)
    folded.ignoredTags.push({ oid: orgPartition.oid, sid: sensor.sid, tags: effect.ignoredTags });
  if (effect.connected) {
    sensor.connectionHash = connectionHashOf(sensor.connectionId);
    sensor.connectedAtMs = nowMs;
  } else if (effect.retry) sensor.connectionHash = connectionHashOf(sensor.connectionId, offset);
  const stale = sensor.online ? nowMs - sensor.stateAtMs >= STATE_AGAIN_MS : effect.disconnected && sensor.stateOnline;
  if (effect.changed || stale || !known) changed.add(sensor);
  if (sensor.online && (effect.retry || effect.changed)) folded.toMatch.add(sensor);
  orgPartition.dirtyRows.add(sensor.sid);
}

function stateToWrite(sensor: Sensor, nowMs: number): StateToWrite {
  sensor.stateOnline = sensor.online;
  sensor.stateAtMs = nowMs;
  return { oid: sensor.oid, sid: sensor.sid, partition: sensor.orgPartition.partition, state: toState(sensor) };
}

function forget(orgPartition: OrgPartition, sid: string, folded: Folded, changed: Set<Sensor>): void {
  const sensor = orgPartition.sensors.get(sid);
  if (sensor) {
    Object.assign(sensor, newSensor(orgPartition.oid, sid));
    folded.forgotten.push(sensor);
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

/** Drops the tags that have expired. Returns the sensors that selectors see differently now. */
export function dropExpiredTags(orgPartition: OrgPartition, nowMs: number): Sensor[] {
  const affected: Sensor[] = [];
  for (const sensor of orgPartition.expiring) {
    if (!dropExpired(sensor, nowMs)) continue;
    orgPartition.dirtyFacts.add(sensor.sid);
    const before = tagCount(sensor);
    refresh(sensor, nowMs);
    if (tagCount(sensor) !== before) affected.push(sensor);
  }
  return affected;
}

const tagCount = ({ record }: Sensor): number => (record.tags as readonly string[] | undefined)?.length ?? 0;
