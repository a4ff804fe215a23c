/** Which events of a batch are responses, and to which tasks. Pure. */
import { checkSensorEvent } from '../../command/check.ts';
import { hashOf } from '../../model/ids.ts';
import type { SensorEvent } from '../../model/records.ts';
import { isDeliveryNotice, taskNamedBy } from '../../model/task.ts';
import type { OrgTable } from '../../orgs/table.ts';
import type { Decoded } from '../../ports.ts';
import type { Response } from './responses.ts';

const TYPE_MAX = 64;
const PLAIN_ID = /^[\w.:-]{1,64}$/;

/** By org, then by task, in the order of the topic. */
export type Gathered = Map<string, Map<string, Response[]>>;

/** Adds to `byOrg`, and answers it. The joiner writes the dead letters of what is not valid. */
export function gather(
  decoded: readonly Decoded<SensorEvent>[],
  orgs: OrgTable,
  byOrg: Gathered = new Map(),
): Gathered {
  for (const item of decoded) {
    if ('refusal' in item || isDeliveryNotice(item.value)) continue;
    const { record, value } = item;
    if (!mayName(value)) continue;
    const checked = checkSensorEvent(record.key?.toString() ?? null, value, orgs);
    if (checked.refusal) continue;
    const taskId = taskNamedBy(value, checked.routing);
    if (taskId === null) continue;
    const byTask = byOrg.get(value.oid) ?? new Map<string, Response[]>();
    byOrg.set(value.oid, byTask);
    const responses = byTask.get(taskId) ?? [];
    byTask.set(taskId, responses);
    const { partition, offset } = record;
    responses.push({
      ...{ sid: value.sid, eventId: responseId(value.event_id), eventType: clipped(value.event_type) },
      ...{ atMs: value.occurred_at, partition, offset, bytes: record.value?.length ?? 0 },
    });
  }
  return byOrg;
}

/** Most events name no task: their JSON is not parsed. */
const mayName = ({ task_id, investigation_id, routing }: SensorEvent): boolean =>
  task_id !== null || investigation_id !== null || routing.includes('investigation_id');

/** A sensor may choose any id: what is kept of it is short. */
export const responseId = (eventId: string): string => (PLAIN_ID.test(eventId) ? eventId : `#${hashOf(eventId)}`);

const clipped = (eventType: string): string =>
  eventType.length <= TYPE_MAX ? eventType : [...eventType].slice(0, TYPE_MAX).join('');
