/**
 * An event as rules see it: `{routing, event}`. A sensor event gets what is known of the sensor, a connect is the event CONNECTED,
 * and the steps of a task are the activity of the extension. Pure.
 *
 * `depth` counts the rules that acted before. The ids of what a rule makes carry it, so that rules that answer each other come to
 * an end.
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

/** The limits of one event and of the reports that it leads to: the cost of the actions so far, and the work left for rules. */
export type Spending = { cost: number; readonly budget: EventBudget };

export type RuleEvent = {
  readonly oid: string;
  readonly sid: string;
  readonly type: string;
  readonly eventId: string;
  readonly occurredAtMs: number;
  readonly depth: number;
  /** A task can be sent to the sensor now. */
  readonly online: boolean;
  /** `did` of the sensor; "" if it has none. */
  readonly did: string;
  readonly view: View;
  readonly spending?: Spending;
};

const RULE_ID = /^rule-(\d{1,2})-/;

/** The id of what a rule makes. The same rule on the same event gives the same id. */
export const ruleId = (depth: number, ...parts: (string | number)[]): string => `rule-${depth}-${hashOf(...parts)}`;

export const depthOf = (...ids: (string | null | undefined)[]): number =>
  Math.max(0, ...ids.map((id) => Number(RULE_ID.exec(id ?? '')?.[1] ?? 0)));

/** `parts` are the routing and the event of the record, parsed. `taskInvestigation` is that of the task that the record names. */
export function fromSensorEvent(
  record: SensorEvent,
  parts: { routing: JsonObject; event: JsonObject },
  sensor: SensorView | null,
  taskInvestigation: string | undefined,
  nowMs: number,
): RuleEvent {
  const { oid, sid, event_type, event_id, occurred_at, task_id } = record;
  const view = eventView(record, parts, sensor, taskInvestigation, nowMs);
  const { investigation_id: investigation } = view.routing;
  const task = task_id ?? (typeof investigation === 'string' ? taskIdOfInvestigation(investigation) : null);
  return {
    oid,
    sid,
    type: event_type,
    eventId: event_id,
    occurredAtMs: occurred_at,
    depth: depthOf(task, event_id),
    online: sensor?.online === true,
    did: sensor?.facts?.did ?? '',
    view,
  };
}

/** The facts of the record are folded into `sensor` already. */
export function fromConnect(record: SensorPresence, sensor: SensorView, nowMs: number): RuleEvent {
  const { oid, sid, occurred_at } = record;
  const type = 'CONNECTED';
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
    oid,
    sid,
    event_type: type,
    event_id: eventId,
    event_time: occurred_at,
    tags: effectiveTags(sensor, nowMs),
  };
  return {
    oid,
    sid,
    type,
    eventId,
    occurredAtMs: occurred_at,
    depth: 0,
    online: true,
    did: facts?.did ?? '',
    view: { routing, event },
  };
}

/** A task event is one or two activities. */
export function fromTaskEvent(record: TaskEvent): RuleEvent[] {
  return activitiesOf(record).map(({ name, activity }) => ({
    oid: record.oid,
    sid: String(activity.routing.sid),
    type: name,
    eventId: String(activity.routing.event_id),
    occurredAtMs: record.occurred_at,
    depth: depthOf(record.task_id),
    online: false,
    did: '',
    view: activity,
  }));
}
