/**
 * A batch of records -> what rules see of it, part by part, so that what came of a part can be forgotten before the next is
 * decoded. Only records that a rule of their org may match are looked at closely; facts of
 * sensors and investigation ids of tasks are asked of the projection in one go for each org, sensors once a batch. What can't
 * be read is passed over: joiner and projector put it to the dead letters.
 */
import { checkPresence, checkSensorEvent, type JsonObject } from '../command/check.ts';
import { isName } from '../model/ids.ts';
import type { SensorEvent, SensorPresence } from '../model/records.ts';
import { fold, fromState, newSensor, type SensorView } from '../model/sensor.ts';
import { investigationIdOf } from '../model/task.ts';
import type { Batch, RolePorts } from '../ports.ts';
import type { StoredSensor } from '../projector/projection.ts';
import { chunksOf } from '../text/chunks.ts';
import type { Rulesets } from './rulesets.ts';
import { type Seen, seenActivities, seenConnect, seenEvent } from './seen.ts';

export type Looking = Pick<RolePorts, 'inbox' | 'orgs' | 'projection' | 'recordCodec' | 'clock'> & {
  rulesets: Rulesets;
  connections: Connections;
};

type Parsed = { record: SensorEvent; parts: { routing: JsonObject; event: JsonObject } };

/** By `oid/sid`; null: the projection does not know it. */
type Sensors = Map<string, SensorView | null>;

/** Records looked at together. */
const PAGE = 500;

/** The connection that each sensor opened last, so that copies of a CONNECTED are no events. Forgets the oldest. */
export class Connections {
  readonly #last = new Map<string, string>();
  readonly #max: number;

  constructor(max = 200_000) {
    this.#max = max;
  }

  isKnown({ oid, sid, connection_id }: SensorPresence): boolean {
    return this.#last.get(`${oid}/${sid}`) === connection_id;
  }

  note({ oid, sid, connection_id }: SensorPresence): void {
    const place = `${oid}/${sid}`;
    this.#last.delete(place);
    this.#last.set(place, connection_id);
    if (this.#last.size > this.#max) for (const oldest of this.#last.keys()) return void this.#last.delete(oldest);
  }
}

const LOOK = { sensorEvents: lookAtEvents, presence: lookAtPresence, taskEvents: lookAtTaskEvents } as const;

export const LOOKED_AT = Object.keys(LOOK) as (keyof typeof LOOK)[];

export const look = (looking: Looking, batch: Batch): AsyncIterable<Seen[]> =>
  LOOK[batch.topic as keyof typeof LOOK](looking, batch);

async function* lookAtEvents(looking: Looking, batch: Batch): AsyncIterable<Seen[]> {
  const { inbox, orgs, rulesets, clock } = looking;
  const sensors: Sensors = new Map();
  for (const records of chunksOf(batch.records, PAGE)) {
    const parsed: Parsed[] = [];
    for (const item of await inbox.decode('SensorEvent', records)) {
      if ('refusal' in item || rulesets.of(item.value.oid).forEvent(item.value.event_type).length === 0) continue;
      const checked = checkSensorEvent(item.record.key?.toString() ?? null, item.value, orgs.table);
      if (checked.refusal === null) parsed.push({ record: item.value, parts: checked });
    }
    const events = parsed.map(({ record }) => record);
    await readSensors(looking, batch.partition, events, sensors);
    const investigations = await investigationsOf(looking, parsed);
    yield parsed.map(({ record, parts }) => {
      const sensor = sensors.get(`${record.oid}/${record.sid}`) ?? null;
      return seenEvent(record, parts, sensor, investigations.get(`${record.oid}/${record.task_id}`), clock.nowMs());
    });
  }
}

async function* lookAtPresence(looking: Looking, batch: Batch): AsyncIterable<Seen[]> {
  const { inbox, orgs, rulesets, connections, clock } = looking;
  const sensors: Sensors = new Map();
  const fresh = new Set<string>();
  for (const records of chunksOf(batch.records, PAGE)) {
    const opened: SensorPresence[] = [];
    for (const item of await inbox.decode('SensorPresence', records)) {
      if ('refusal' in item || item.value.event !== 'CONNECTED') continue;
      const { value } = item;
      if (checkPresence(item.record.key?.toString() ?? null, value, orgs.table) !== null) continue;
      const place = `${value.oid}/${value.sid}/${value.connection_id}`;
      if (connections.isKnown(value) || fresh.has(place)) continue;
      fresh.add(place);
      if (rulesets.of(value.oid).forEvent('CONNECTED').length > 0) opened.push(value);
    }
    await readSensors(looking, batch.partition, opened, sensors);
    yield opened.map((record) => {
      const sensor = sensors.get(`${record.oid}/${record.sid}`) ?? newSensor(record.oid, record.sid);
      fold(sensor, record);
      return seenConnect(record, sensor, clock.nowMs());
    });
  }
}

/** To be called when a batch of presence has been acted on: until then a repeat must not pass for a copy. */
export async function noteConnections({ inbox, connections }: Looking, batch: Batch): Promise<void> {
  if (batch.topic !== 'presence') return;
  for (const item of await inbox.decode('SensorPresence', batch.records))
    if ('value' in item && item.value.event === 'CONNECTED') connections.note(item.value);
}

async function* lookAtTaskEvents({ inbox, orgs, rulesets }: Looking, batch: Batch): AsyncIterable<Seen[]> {
  for (const records of chunksOf(batch.records, PAGE)) {
    const seen: Seen[] = [];
    for (const item of await inbox.decode('TaskEvent', records)) {
      if ('refusal' in item || !orgs.table.known(item.value.oid)) continue;
      for (const one of seenActivities(item.value))
        if (rulesets.of(one.oid).forEvent(one.type).length > 0) seen.push(one);
    }
    yield seen;
  }
}

/** Puts what the projection knows of the sensors of these records to those that are known already. */
async function readSensors(
  { projection, recordCodec }: Looking,
  partition: number,
  records: readonly { oid: string; sid: string }[],
  known: Sensors,
): Promise<void> {
  const missing = new Map<string, string[]>();
  for (const { oid, sid } of records) {
    const place = `${oid}/${sid}`;
    if (known.has(place)) continue;
    known.set(place, null);
    const mine = missing.get(oid);
    if (mine) mine.push(sid);
    else missing.set(oid, [sid]);
  }
  await Promise.all(
    [...missing].map(async ([oid, sids]) => {
      for (const stored of await projection.readSensors(oid, partition, sids))
        if (stored) known.set(`${oid}/${stored.sid}`, viewOf(recordCodec, stored));
    }),
  );
}

function viewOf(recordCodec: Looking['recordCodec'], { facts, presence, sid }: StoredSensor): SensorView {
  const view = facts === null ? newSensor('', sid) : fromState(recordCodec.decode('SensorState', facts));
  view.online = presence?.online === true;
  return view;
}

/** Investigation ids of tasks that records name without one, by `oid/task`. */
async function investigationsOf({ projection }: Looking, parsed: readonly Parsed[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const bare = parsed.filter(
    ({ record, parts }) =>
      record.task_id !== null &&
      isName(record.task_id) &&
      record.investigation_id === null &&
      parts.routing.investigation_id === undefined,
  );
  const byOrg = Map.groupBy(bare, ({ record }) => record.oid);
  await Promise.all(
    [...byOrg].map(async ([oid, mine]) => {
      const ids = [...new Set(mine.map(({ record }) => record.task_id as string))];
      for (const task of await projection.readTasks(oid, ids))
        if (task) found.set(`${oid}/${task.taskId}`, investigationIdOf(task.command));
    }),
  );
  return found;
}
