/** The records of an attempt: the dispatch, TASK_SENT, and TASK_DONE if the delivery is done when sent. Pure. */
import { dispatchId, eventId } from '../../model/ids.ts';
import type { TaskDispatch, TaskEvent } from '../../model/records.ts';
import { claimHash } from '../../model/task.ts';
import type { EpochEvent } from '../../ports.ts';
import type { Due } from '../org-tasks.ts';
import type { Claim, ClaimBatch } from './claim-batch.ts';

/** When the delivery became due: when the process learned of the task or when the sensor connected, whichever is later. Unix ms. */
export const dueAt = ({ task, sensor }: Due): number => Math.max(task.seenAtMs, sensor.connectedAtMs);

export function dispatchOf(
  { orgPartition, nowMs }: ClaimBatch,
  { task, sensor, attempt, connectionId }: Claim,
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

/** Redis has TASK_SENT, because it has the claim. It learns of TASK_DONE by the confirmation, which can be lost, so the projector
 *  has to apply TASK_DONE in every epoch. */
const NO_EPOCH = '-';

/** TASK_SENT of a dropped claim that counts as sent. It names no known connection, so that the delivery is due at the next match,
 *  also after a loss of Redis. */
export const keptEvent = (claimBatch: ClaimBatch, claim: Claim): EpochEvent =>
  eventOf(claimBatch, claim, 'TASK_SENT', {
    tag: '0',
    connection_id: claim.connectionId,
    confirms: claim.sensor.confirms,
  });

export function sentEvents(claimBatch: ClaimBatch, claim: Claim): EpochEvent[] {
  const { task, sensor, connectionId, connectionHash } = claim;
  const sent = eventOf(claimBatch, claim, 'TASK_SENT', {
    connection_id: connectionId,
    tag: claimHash(connectionHash, task.doneWhenSent),
    due_at: dueAt(claim),
    confirms: sensor.confirms,
  });
  return task.doneWhenSent ? [sent, eventOf(claimBatch, claim, 'TASK_DONE', {})] : [sent];
}

function eventOf(
  { orgPartition, epoch, nowMs }: ClaimBatch,
  { task, sensor, attempt: sent }: Claim,
  type: 'TASK_SENT' | 'TASK_DONE',
  detail: object,
): EpochEvent {
  // TASK_DONE is always of attempt 1: it is the same event whichever attempt it follows, and whichever process writes it.
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
