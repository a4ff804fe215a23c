/**
 * A sensor's event as rules, outputs and results see it: `{routing, event}`, what is known of the sensor laid under its
 * routing, and what the record itself says put over it. Pure.
 */
import type { SensorEvent } from './records.ts';
import { effectiveTags, type SensorView } from './sensor.ts';

type JsonObject = Record<string, unknown>;
export type EventView = { routing: JsonObject; event: JsonObject };

/** What the sensor is known to be, for the fields of `routing` that the event does not have. */
export function knownOf(sensor: SensorView | null): JsonObject {
  const facts = sensor?.facts;
  if (!facts) return {};
  const { hostname, arch, iid, did, ext_ip, int_ip } = facts;
  return { hostname, plat: facts.plat >>> 0, arch, iid, did, ext_ip, int_ip };
}

/** `parts` are the record's routing and event, parsed; `taskInvestigation` is that of the task that the record names. */
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
    ...{ oid, sid, event_type, event_id, event_time: occurred_at },
    ...(investigation === undefined ? {} : { investigation_id: investigation }),
    tags: sensor === null ? (parts.routing.tags ?? []) : effectiveTags(sensor, nowMs),
  };
  return { routing, event: parts.event };
}
