/**
 * The rows of an org partition: what Redis holds of its sensors. Changed sensors are dirty until Redis has their rows.
 *
 * Rows go out in parts. The stored offset goes out with the last part and never passes a record whose row or state may be missing:
 * a process that loads the org partition after a crash reads presence from that offset. So two cases store no offset:
 *  - earlier parts are not answered yet: they may fail;
 *  - states are not on `sensor-state` yet: their batch writes the rows after them. Rows ahead of the stored offset would meet
 *    older records when presence is read again.
 */
import type { SensorState } from '../model/records.ts';
import { toState } from '../model/sensor.ts';
import type { PresenceRow, Projection, SensorRows, Why } from '../projector/projection.ts';
import type { OrgPartition, Sensor } from './org-partition.ts';

/** A part of an org partition's rows, ready to be written. */
export type Rows = { orgPartition: OrgPartition; request: SensorRows };

/** In a part that is not the last: the stored offset stays. */
const NO_OFFSET = -1;

/** Rows in one script, so that it holds Redis for a few milliseconds at most. */
const ROWS_PER_SCRIPT = 500;

/** Takes the dirty rows out, in at least one part. Each part has to be passed to `rowsTaken` or `restoreRows` afterwards. Empty if
 *  this process is not the owner. */
export function takeRows(orgPartition: OrgPartition, encode: (state: SensorState) => Buffer): SensorRows[] {
  const { fencingToken } = orgPartition;
  if (fencingToken === null) return [];
  if (orgPartition.statesUnderWay > 0) {
    orgPartition.rowsUnderWay += 1;
    return [newPart(orgPartition, fencingToken)];
  }
  const parts = dirtyParts(orgPartition, fencingToken, encode);
  const last = parts.at(-1) as SensorRows;
  if (orgPartition.rowsUnderWay === 0) {
    last.nextOffset = orgPartition.nextOffset;
    last.live = orgPartition.live;
  }
  orgPartition.rowsUnderWay += parts.length;
  return parts;
}

function dirtyParts(
  orgPartition: OrgPartition,
  fencingToken: string,
  encode: (state: SensorState) => Buffer,
): SensorRows[] {
  const { sensors, dirtyFacts, dirtyRows, forgotten } = orgPartition;
  let part = newPart(orgPartition, fencingToken);
  part.replace = orgPartition.replaces;
  orgPartition.replaces = false;
  const parts = [part];
  const partFor = (rows: number): SensorRows => {
    if (part.facts.length + part.presence.length + part.forgotten.length + rows > ROWS_PER_SCRIPT) {
      part = newPart(orgPartition, fencingToken);
      parts.push(part);
    }
    return part;
  };
  for (const sid of new Set([...dirtyFacts, ...dirtyRows])) {
    const sensor = sensors.get(sid);
    if (!sensor) continue;
    const { facts, presence } = partFor(2);
    if (dirtyFacts.has(sid)) facts.push({ sid, bytes: encode(toState(sensor)) });
    presence.push({ sid, row: rowOf(sensor) });
  }
  for (const sid of forgotten) if (!sensors.has(sid)) partFor(1).forgotten.push(sid);
  dirtyFacts.clear();
  dirtyRows.clear();
  forgotten.clear();
  return parts;
}

const newPart = ({ oid, epoch, partition }: OrgPartition, fencingToken: string): SensorRows => ({
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

/** Redis has this part. */
export function rowsTaken(orgPartition: OrgPartition): void {
  orgPartition.rowsUnderWay -= 1;
}

/** Redis does not have this part: its rows are dirty again. */
export function restoreRows(orgPartition: OrgPartition, { replace, facts, presence, forgotten }: SensorRows): void {
  if (replace) orgPartition.replaces = true;
  orgPartition.rowsUnderWay -= 1;
  for (const { sid } of facts) if (orgPartition.sensors.has(sid)) orgPartition.dirtyFacts.add(sid);
  for (const { sid } of presence) if (orgPartition.sensors.has(sid)) orgPartition.dirtyRows.add(sid);
  for (const sid of forgotten) orgPartition.forgotten.add(sid);
}

/** Writes the parts of `takeRows`. Returns null, or why Redis refused one; that part and the ones after it are dirty again. */
export async function writeRows(
  projection: Pick<Projection, 'writeSensors'>,
  orgPartition: OrgPartition,
  parts: SensorRows[],
): Promise<Why | null> {
  let refused: Why | null = null;
  for (const part of parts) {
    // One after another: the last part holds the offset, which must not be stored without the parts before it.
    refused ??= await writePart(projection, part);
    if (refused === null) rowsTaken(orgPartition);
    else restoreRows(orgPartition, part);
  }
  return refused;
}

async function writePart(projection: Pick<Projection, 'writeSensors'>, part: SensorRows): Promise<Why | null> {
  const [answer] = await projection.writeSensors([part]);
  return answer === undefined || answer.ok ? null : answer.why;
}

/** Makes the next write replace everything that Redis holds of the org partition. */
export function markAllDirty(orgPartition: OrgPartition): void {
  orgPartition.replaces = true;
  for (const sid of orgPartition.sensors.keys()) {
    orgPartition.dirtyFacts.add(sid);
    orgPartition.dirtyRows.add(sid);
  }
}
