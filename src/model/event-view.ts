/**
 * A sensor event as rules, outputs and responses see it: `{routing, event}`. The fields of the record win over the sensor's
 * `routing`, and `routing` wins over the known facts of the sensor. Pure.
 */
import type { SensorEvent } from './records.ts';
import type { SensorView } from './sensor.ts';
import { effectiveTags } from './tags.ts';

type JsonObject = Record<string, unknown>;
export type EventView = { routing: JsonObject; event: JsonObject };

/** The known facts of the sensor, as fields of `routing`. */
export function knownOf(sensor: SensorView | null): JsonObject {
  const facts = sensor?.facts;
  if (!facts) return {};
  const { hostname, arch, iid, did, ext_ip, int_ip } = facts;
  return { hostname, plat: facts.plat >>> 0, arch, iid, did, ext_ip, int_ip };
}

/** `parts`: the parsed routing and event of the record. `taskInvestigation`: the investigation id of the task that the record
 *  names. */
export function eventView(
  record: SensorEvent,
  parts: { routing: JsonObject; event: JsonObject },
  sensor: SensorView | null,
  taskInvestigation: string | undefined,
  nowMs: number,
): EventView {
  const { oid, sid, event_type, event_id, occurred_at } = record;
  const investigation = record.investigation_id ?? parts.routing.investigation_id ?? taskInvestigation;
  const routing = {
    ...knownOf(sensor),
    ...parts.routing,
    oid,
    sid,
    event_type,
    event_id,
    event_time: occurred_at,
    ...(investigation === undefined ? {} : { investigation_id: investigation }),
    tags: sensor === null ? (parts.routing.tags ?? []) : effectiveTags(sensor, nowMs),
  };
  return { routing, event: parts.event };
}
