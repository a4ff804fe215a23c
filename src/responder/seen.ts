/**
 * What rules see of each record, as `{routing, event}`: a sensor's event with what is known of the sensor laid under it, a
 * connect as the event CONNECTED, the steps of a task as the activity of the extension. Pure.
 *
 * `depth` counts how many rules have acted before: what a rule makes carries it in its ids, so that rules that answer each
 * other end after a few turns.
 */
import { activitiesOf } from '../command/activity.ts';
import type { JsonObject } from '../command/check.ts';
import { eventView, knownOf } from '../model/event-view.ts';
import { hashOf } from '../model/ids.ts';
import type { SensorEvent, SensorPresence, TaskEvent } from '../model/records.ts';
import type { SensorView } from '../model/sensor.ts';
import { effectiveTags } from '../model/tags.ts';
import { taskIdOfInvestigation } from '../model/task.ts';
import type { EventBudget, View } from '../rules/view.ts';

export type Made = { cost: number; readonly budget: EventBudget };

export type Seen = {
  readonly oid: string;
  readonly sid: string;
  readonly type: string;
  readonly eventId: string;
  readonly occurredAtMs: number;
  readonly depth: number;
  /** The sensor can be sent something now. */
  readonly online: boolean;
  /** `did` of the sensor, "" where it has none. */
  readonly did: string;
  readonly view: View;
  /** Of this event and of the reports that it led to: what actions have come to so far, and what rules may still do. */
  readonly made?: Made;
};

const MADE_BY_RULE = /^rule-(\d{1,2})-/;

/** An id that a rule gives: the same rule on the same event gives the same. */
export const ruleId = (depth: number, ...parts: (string | number)[]): string => `rule-${depth}-${hashOf(...parts)}`;

export const depthOf = (...ids: (string | null | undefined)[]): number =>
  Math.max(0, ...ids.map((id) => Number(MADE_BY_RULE.exec(id ?? '')?.[1] ?? 0)));

/** `parts` are the record's routing and event, parsed; `taskInvestigation` is that of the task that the record names. */
export function seenEvent(
  record: SensorEvent,
  parts: { routing: JsonObject; event: JsonObject },
  sensor: SensorView | null,
  taskInvestigation: string | undefined,
  nowMs: number,
): Seen {
  const { oid, sid, event_type, event_id, occurred_at, task_id } = record;
  const view = eventView(record, parts, sensor, taskInvestigation, nowMs);
  const { investigation_id: investigation } = view.routing;
  const task = task_id ?? (typeof investigation === 'string' ? taskIdOfInvestigation(investigation) : null);
  return {
    ...{ oid, sid, type: event_type, eventId: event_id, occurredAtMs: occurred_at },
    depth: depthOf(task, event_id),
    online: sensor?.online === true,
    did: sensor?.facts?.did ?? '',
    view,
  };
}

/** `sensor` has the facts of the record already. */
export function seenConnect(record: SensorPresence, sensor: SensorView, nowMs: number): Seen {
  const { oid, sid, occurred_at } = record;
  const eventId = hashOf('connected', oid, sid, record.connection_id);
  const { facts } = sensor;
  const event = {
    HOST_NAME: facts?.hostname ?? '',
    MAC_ADDRESS: facts?.mac_addr ?? '',
    IS_SEGREGATED: facts?.isolated ? 1 : 0,
    KERNEL_ACQ_AVAILABLE: facts?.kernel ? 1 : 0,
  };
  const routing = {
    ...knownOf(sensor),
    ...{ oid, sid, event_type: 'CONNECTED', event_id: eventId, event_time: occurred_at },
    tags: effectiveTags(sensor, nowMs),
  };
  return {
    ...{ oid, sid, type: 'CONNECTED', eventId, occurredAtMs: occurred_at, depth: 0, online: true },
    did: facts?.did ?? '',
    view: { routing, event },
  };
}

/** One or two steps of a task. */
export function seenActivities(record: TaskEvent): Seen[] {
  return activitiesOf(record).map(({ name, activity }) => ({
    ...{ oid: record.oid, sid: String(activity.routing.sid), type: name, eventId: String(activity.routing.event_id) },
    occurredAtMs: record.occurred_at,
    depth: depthOf(record.task_id),
    ...{ online: false, did: '', view: activity },
  }));
}
