/**
 * A batch of records -> the events that rules see, chunk by chunk, so that the results of one chunk can be released before the
 * next is decoded. Only records that a rule of their org can match are judged. The projection is asked once for each org and
 * chunk, and once for each sensor of a batch. Records that are not valid are passed over: the joiner and the projector write
 * their dead letters.
 */
import { checkPresence, checkSensorEvent, type JsonObject } from '../command/check.ts';
import { type Judge, judgeAll, recordKeyOf } from '../consumer.ts';
import { isName } from '../model/ids.ts';
import type { SensorEvent, SensorPresence, TaskEvent } from '../model/records.ts';
import { fold, fromState, newSensor, type SensorView } from '../model/sensor.ts';
import { investigationIdOf } from '../model/task.ts';
import type { Batch, RolePorts } from '../ports.ts';
import type { StoredSensor } from '../projector/projection.ts';
import { chunksOf } from '../text/chunks.ts';
import type { Connections } from './connections.ts';
import { fromConnect, fromSensorEvent, fromTaskEvent, type RuleEvent } from './rule-event.ts';
import type { Rulesets } from './rulesets.ts';

export type EventReader = Pick<RolePorts, 'inbox' | 'orgs' | 'recordCodec' | 'clock'> & {
  projection: Pick<RolePorts['projection'], 'readSensors' | 'readTasks'>;
  rulesets: Pick<Rulesets, 'of'>;
  connections: Connections;
};

type ParsedEvent = { record: SensorEvent; parts: { routing: JsonObject; event: JsonObject } };

/** By `oid/sid`; null: the projection does not know the sensor. */
type Sensors = Map<string, SensorView | null>;

/** Records that are decoded together. */
const CHUNK = 500;

const READERS = { sensorEvents: readSensorEvents, presence: readPresence, taskEvents: readTaskEvents } as const;

export const RULE_TOPICS = Object.keys(READERS) as (keyof typeof READERS)[];

export const readRuleEvents = (reader: EventReader, batch: Batch): AsyncIterable<RuleEvent[]> =>
  READERS[batch.topic as keyof typeof READERS](reader, batch);

async function* readSensorEvents(reader: EventReader, batch: Batch): AsyncIterable<RuleEvent[]> {
  const { inbox, orgs, rulesets, clock } = reader;
  const judge: Judge<SensorEvent, ParsedEvent> = (record, event, table) => {
    if (rulesets.of(event.oid).forEvent(event.event_type).length === 0) return null;
    const checked = checkSensorEvent(recordKeyOf(record), event, table);
    return checked.refusal === null ? { accepted: { record: event, parts: checked } } : null;
  };
  const sensors: Sensors = new Map();
  for (const records of chunksOf(batch.records, CHUNK)) {
    const parsed = judgeAll(await inbox.decode('SensorEvent', records), orgs.table, judge).accepted;
    const events = parsed.map(({ record }) => record);
    await readSensors(reader, batch.partition, events, sensors);
    const investigations = await investigationsOf(reader, parsed);
    yield parsed.map(({ record, parts }) => {
      const sensor = sensors.get(`${record.oid}/${record.sid}`) ?? null;
      return fromSensorEvent(
        record,
        parts,
        sensor,
        investigations.get(`${record.oid}/${record.task_id}`),
        clock.nowMs(),
      );
    });
  }
}

async function* readPresence(reader: EventReader, batch: Batch): AsyncIterable<RuleEvent[]> {
  const { inbox, orgs, rulesets, connections, clock } = reader;
  const inBatch = new Set<string>();
  const judge: Judge<SensorPresence, SensorPresence> = (record, presence, table) => {
    if (presence.event !== 'CONNECTED' || checkPresence(recordKeyOf(record), presence, table) !== null) return null;
    const { oid, sid, connection_id } = presence;
    const connection = `${oid}/${sid}/${connection_id}`;
    if (connections.isKnown(presence) || inBatch.has(connection)) return null;
    inBatch.add(connection);
    return rulesets.of(oid).forEvent('CONNECTED').length > 0 ? { accepted: presence } : null;
  };
  const sensors: Sensors = new Map();
  for (const records of chunksOf(batch.records, CHUNK)) {
    const opened = judgeAll(await inbox.decode('SensorPresence', records), orgs.table, judge).accepted;
    await readSensors(reader, batch.partition, opened, sensors);
    yield opened.map((record) => {
      const sensor = sensors.get(`${record.oid}/${record.sid}`) ?? newSensor(record.oid, record.sid);
      fold(sensor, record);
      return fromConnect(record, sensor, clock.nowMs());
    });
  }
}

/** Call it when the effects of a batch are written. Before that, a repeat of the batch must not pass for copies. */
export async function noteConnections({ inbox, connections }: EventReader, batch: Batch): Promise<void> {
  if (batch.topic !== 'presence') return;
  for (const item of await inbox.decode('SensorPresence', batch.records))
    if ('value' in item && item.value.event === 'CONNECTED') connections.note(item.value);
}

async function* readTaskEvents({ inbox, orgs, rulesets }: EventReader, batch: Batch): AsyncIterable<RuleEvent[]> {
  const judge: Judge<TaskEvent, TaskEvent> = (_record, event, table) =>
    table.known(event.oid) ? { accepted: event } : null;
  for (const records of chunksOf(batch.records, CHUNK)) {
    const { accepted } = judgeAll(await inbox.decode('TaskEvent', records), orgs.table, judge);
    yield accepted.flatMap(fromTaskEvent).filter(({ oid, type }) => rulesets.of(oid).forEvent(type).length > 0);
  }
}

/** Adds the sensors of these records to `known`. */
async function readSensors(
  { projection, recordCodec }: EventReader,
  partition: number,
  records: readonly { oid: string; sid: string }[],
  known: Sensors,
): Promise<void> {
  const unknown = new Map<string, string[]>();
  for (const { oid, sid } of records) {
    const sensor = `${oid}/${sid}`;
    if (known.has(sensor)) continue;
    known.set(sensor, null);
    const sids = unknown.get(oid);
    if (sids) sids.push(sid);
    else unknown.set(oid, [sid]);
  }
  await Promise.all(
    [...unknown].map(async ([oid, sids]) => {
      for (const stored of await projection.readSensors(oid, partition, sids))
        if (stored) known.set(`${oid}/${stored.sid}`, viewOf(recordCodec, stored));
    }),
  );
}

function viewOf(recordCodec: EventReader['recordCodec'], { facts, presence, sid }: StoredSensor): SensorView {
  const view = facts === null ? newSensor('', sid) : fromState(recordCodec.decode('SensorState', facts));
  view.online = presence?.online === true;
  return view;
}

/** Investigation ids of the tasks of events that carry none themselves, by `oid/task`. */
async function investigationsOf(
  { projection }: EventReader,
  parsed: readonly ParsedEvent[],
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const without = parsed.filter(
    ({ record, parts }) =>
      record.task_id !== null &&
      isName(record.task_id) &&
      record.investigation_id === null &&
      parts.routing.investigation_id === undefined,
  );
  const byOrg = Map.groupBy(without, ({ record }) => record.oid);
  await Promise.all(
    [...byOrg].map(async ([oid, events]) => {
      const ids = [...new Set(events.map(({ record }) => record.task_id as string))];
      for (const task of await projection.readTasks(oid, ids))
        if (task) found.set(`${oid}/${task.taskId}`, investigationIdOf(task.command));
    }),
  );
  return found;
}
