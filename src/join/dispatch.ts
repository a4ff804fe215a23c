/** What is written for a pair that is sent: the dispatch, TASK_SENT, and TASK_DONE where nobody answers. Pure. */
import { dispatchId, eventId } from '../model/ids.ts';
import type { TaskDispatch, TaskEvent } from '../model/records.ts';
import { claimTag } from '../model/task.ts';
import type { EpochEvent } from '../outbox.ts';
import type { Due, Flight, Pair } from './flight.ts';

/** When the pair became due: the task was learnt of, or the sensor connected, whichever was later. Unix ms. */
export const dueAt = ({ task, sensor }: Due): number => Math.max(task.seenAtMs, sensor.connectedAtMs);

export function dispatchOf({ seat, nowMs }: Flight, { task, sensor, attempt, connectionId }: Pair): TaskDispatch {
  return {
    dispatch_id: dispatchId(seat.oid, task.taskId, sensor.sid, attempt),
    oid: seat.oid,
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
export const keptEvent = (flight: Flight, pair: Pair): EpochEvent =>
  eventOf(flight, pair, 'TASK_SENT', { tag: '0', connection_id: pair.connectionId, confirms: pair.sensor.confirms });

export function sentEvents(flight: Flight, pair: Pair): EpochEvent[] {
  const { task, sensor, connectionId, tag } = pair;
  const sent = eventOf(flight, pair, 'TASK_SENT', {
    connection_id: connectionId,
    tag: claimTag(tag, task.doneWhenSent),
    due_at: dueAt(pair),
    confirms: sensor.confirms,
  });
  return task.doneWhenSent ? [sent, eventOf(flight, pair, 'TASK_DONE', {})] : [sent];
}

function eventOf(
  { seat, epoch, nowMs }: Flight,
  { task, sensor, attempt: sent }: Pair,
  type: 'TASK_SENT' | 'TASK_DONE',
  detail: object,
): EpochEvent {
  // TASK_DONE always of attempt 1, so that it is one event whichever attempt it follows, and whoever writes it.
  const attempt = type === 'TASK_SENT' ? sent : 1;
  const event: TaskEvent = {
    type,
    event_id: eventId(type, seat.oid, task.taskId, sensor.sid, attempt),
    oid: seat.oid,
    task_id: task.taskId,
    sid: sensor.sid,
    attempt,
    occurred_at: nowMs,
    detail: JSON.stringify({ expires_at: task.expiresAtMs, investigation_id: task.investigationId, ...detail }),
  };
  return { event, epoch: type === 'TASK_SENT' ? epoch : NO_EPOCH };
}
