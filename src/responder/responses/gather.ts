/** Which sensor events are responses, and of which tasks. Pure. */
import { checkSensorEvent } from '../../command/check.ts';
import { type Judge, recordKeyOf } from '../../consumer.ts';
import { hashOf } from '../../model/ids.ts';
import type { SensorEvent } from '../../model/records.ts';
import { isDeliveryNotice, taskNamedBy } from '../../model/task.ts';
import type { Response } from './responses.ts';

const TYPE_MAX = 64;
const PLAIN_ID = /^[\w.:-]{1,64}$/;

export type TaskResponse = { oid: string; taskId: string; response: Response };

/** By org, then by task, in the order of the topic. */
export type Gathered = Map<string, Map<string, Response[]>>;

/** Passes over events that are not valid: the joiner writes their dead letters. */
export const judgeResponse: Judge<SensorEvent, TaskResponse> = (record, event, orgs) => {
  if (isDeliveryNotice(event) || !mayName(event)) return null;
  const checked = checkSensorEvent(recordKeyOf(record), event, orgs);
  if (checked.refusal) return null;
  const taskId = taskNamedBy(event, checked.routing);
  if (taskId === null) return null;
  const response: Response = {
    sid: event.sid,
    eventId: responseId(event.event_id),
    eventType: clipped(event.event_type),
    atMs: event.occurred_at,
    partition: record.partition,
    offset: record.offset,
    bytes: record.value?.length ?? 0,
  };
  return { accepted: { oid: event.oid, taskId, response } };
};

/** Adds to `byOrg`, and returns it. */
export function gather(responses: readonly TaskResponse[], byOrg: Gathered = new Map()): Gathered {
  for (const { oid, taskId, response } of responses) {
    const byTask = byOrg.get(oid) ?? new Map<string, Response[]>();
    byOrg.set(oid, byTask);
    const ofTask = byTask.get(taskId) ?? [];
    byTask.set(taskId, ofTask);
    ofTask.push(response);
  }
  return byOrg;
}

/** Most events name no task. Their JSON is not parsed. */
const mayName = ({ task_id, investigation_id, routing }: SensorEvent): boolean =>
  task_id !== null || investigation_id !== null || routing.includes('investigation_id');

/** A sensor can choose any id. Redis keeps a short one, or a hash. */
export const responseId = (eventId: string): string => (PLAIN_ID.test(eventId) ? eventId : `#${hashOf(eventId)}`);

const clipped = (eventType: string): string =>
  eventType.length <= TYPE_MAX ? eventType : [...eventType].slice(0, TYPE_MAX).join('');
