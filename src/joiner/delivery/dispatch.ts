/** What is written for a pair that is sent: the dispatch, TASK_SENT, and TASK_DONE where nobody answers. Pure. */
import { dispatchId, eventId } from '../../model/ids.ts';
import type { TaskDispatch, TaskEvent } from '../../model/records.ts';
import { claimHash } from '../../model/task.ts';
import type { EpochEvent } from '../../ports.ts';
import type { ClaimBatch, Delivery, Due } from './claim-batch.ts';

/** When the pair became due: the task was learnt of, or the sensor connected, whichever was later. Unix ms. */
export const dueAt = ({ task, sensor }: Due): number => Math.max(task.seenAtMs, sensor.connectedAtMs);

export function dispatchOf(
  { orgPartition, nowMs }: ClaimBatch,
  { task, sensor, attempt, connectionId }: Delivery,
): TaskDispatch {
  return {
    dispatch_id: dispatchId(orgPartition.oid, task.taskId, sensor.sid, attempt),
    oid: orgPartition.oid,
    sid: sensor.sid,
    task_id: task.taskId,
    task: task.commandLine,
    investigation_id: task.investigationId,
    attempt,
    connection_id: connectionId,
    dispatched_at: nowMs,
    expires_at: task.expiresAtMs,
  };
}

/** Redis has the claim, and so TASK_SENT; it is told of TASK_DONE by the confirmation, which may be lost: the projector sees to it. */
const NO_EPOCH = '-';

/** What is kept counts as sent, by no connection that is known: it is due at the next match, also after a loss of Redis. */
export const keptEvent = (claimBatch: ClaimBatch, delivery: Delivery): EpochEvent =>
  eventOf(claimBatch, delivery, 'TASK_SENT', {
    tag: '0',
    connection_id: delivery.connectionId,
    confirms: delivery.sensor.confirms,
  });

export function sentEvents(claimBatch: ClaimBatch, delivery: Delivery): EpochEvent[] {
  const { task, sensor, connectionId, connectionHash } = delivery;
  const sent = eventOf(claimBatch, delivery, 'TASK_SENT', {
    connection_id: connectionId,
    tag: claimHash(connectionHash, task.doneWhenSent),
    due_at: dueAt(delivery),
    confirms: sensor.confirms,
  });
  return task.doneWhenSent ? [sent, eventOf(claimBatch, delivery, 'TASK_DONE', {})] : [sent];
}

function eventOf(
  { orgPartition, epoch, nowMs }: ClaimBatch,
  { task, sensor, attempt: sent }: Delivery,
  type: 'TASK_SENT' | 'TASK_DONE',
  detail: object,
): EpochEvent {
  // TASK_DONE always of attempt 1, so that it is one event whichever attempt it follows, and whoever writes it.
  const attempt = type === 'TASK_SENT' ? sent : 1;
  const event: TaskEvent = {
    type,
    event_id: eventId(type, orgPartition.oid, task.taskId, sensor.sid, attempt),
    oid: orgPartition.oid,
    task_id: task.taskId,
    sid: sensor.sid,
    attempt,
    occurred_at: nowMs,
    detail: JSON.stringify({ expires_at: task.expiresAtMs, investigation_id: task.investigationId, ...detail }),
  };
  return { event, epoch: type === 'TASK_SENT' ? epoch : NO_EPOCH };
}
