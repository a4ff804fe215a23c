/**
 * A flight: the pairs of one seat that are claimed, produced and confirmed together. Pure: how pairs become flights, what is
 * asked of Redis for them, and what may still be sent directly before the produce.
 */
import { claimHash } from '../../model/task.ts';
import type { ClaimRequest, ConfirmRequest, RecheckRequest } from '../../projector/projection.ts';
import type { OrgPartition, Sensor } from '../org-partition.ts';
import { type CheckBudget, mayBeDue, selectsWithin, type Task } from '../pending-tasks.ts';

export type Due = { sensor: Sensor; task: Task };
/** `attempt` 0: it is not known yet. `perhaps`: this attempt may be on the log, by a claim before or by a produce that failed. */
export type Delivery = Due & { connectionHash: string; attempt: number; connectionId: string; maybeSent: boolean };

/** Times are monotonic ms; `nowMs` is the clock of Redis at the claim, Unix ms. */
export type ClaimBatch = {
  orgPartition: OrgPartition;
  batch: string;
  epoch: string;
  fencingToken: string;
  deliveries: Delivery[];
  /** Claimed, and not to be sent after all. */
  dropped: Delivery[];
  startedMono: number;
  nowMs: number;
};

/** Pairs in one script: it must not hold Redis for more than a few milliseconds. */
const DELIVERIES_PER_SCRIPT = 500;
/** Pairs in one trip, whatever their bytes. */
const DELIVERIES_PER_PIPELINE = 4_000;

/** The org, the dispatch id, numbers, lengths, and what the log needs of its own. */
const FIXED_BYTES = 220;
const UTF8_MOST = 3;

/** Bytes of the pair's dispatch on the log, key included: not less than they will be. */
export const bytesOf = ({ task, sensor }: Due): number =>
  FIXED_BYTES +
  task.textBytes +
  task.taskId.length +
  2 * sensor.sid.length +
  UTF8_MOST * (sensor.connectionId?.length ?? 0);

/** The flights of the next trip: from `pairs[from]` on, as many as `maxBytes` of dispatches allow, one at least. Pairs that
 *  need no claim are passed over. `next` is where the trip after it begins. */
export function nextPipeline(
  deliveries: readonly Due[],
  from: number,
  maxBytes: number,
  nowMono: number,
  newBatch: (orgPartition: OrgPartition) => string,
): { claimBatches: ClaimBatch[]; next: number } {
  const claimBatches: ClaimBatch[] = [];
  const open = new Map<OrgPartition, ClaimBatch>();
  let [bytes, count, next] = [0, 0, from];
  for (; next < deliveries.length && count < DELIVERIES_PER_PIPELINE; next += 1) {
    const { sensor, task } = deliveries[next] as Due;
    const { orgPartition } = sensor;
    if (
      !orgPartition.live ||
      orgPartition.fencingToken === null ||
      !sensor.online ||
      task.gone ||
      !mayBeDue(task, sensor, nowMono)
    )
      continue;
    const size = bytesOf({ sensor, task });
    if (count > 0 && bytes + size > maxBytes) break;
    let claimBatch = open.get(orgPartition);
    if (!claimBatch || claimBatch.deliveries.length >= DELIVERIES_PER_SCRIPT) {
      claimBatch = claimBatchOf(orgPartition, orgPartition.fencingToken, newBatch(orgPartition));
      open.set(orgPartition, claimBatch);
      claimBatches.push(claimBatch);
    }
    claimBatch.deliveries.push(deliveryOf(sensor, task));
    bytes += size;
    count += 1;
  }
  return { claimBatches, next };
}

const deliveryOf = (sensor: Sensor, task: Task): Delivery => ({
  sensor,
  task,
  connectionHash: sensor.connectionHash,
  attempt: 0,
  connectionId: sensor.connectionId ?? '',
  maybeSent: false,
});

const claimBatchOf = (orgPartition: OrgPartition, fencingToken: string, batch: string): ClaimBatch => ({
  orgPartition,
  batch,
  epoch: orgPartition.epoch,
  fencingToken,
  deliveries: [],
  dropped: [],
  startedMono: 0,
  nowMs: 0,
});

/** The seat is still the one, under the token, for which this was claimed. */
export const isHeld = ({ orgPartition, fencingToken, epoch }: ClaimBatch): boolean =>
  orgPartition.fencingToken === fencingToken && orgPartition.epoch === epoch;

/** A flight that was left, as it is asked for once more: for the connections that are open now. What is not due any more is
 *  dropped, if Redis has it under this batch at all, and is due at the next match. */
export function takenUp(claimBatch: ClaimBatch, nowMono: number, mayGo: (due: Due) => boolean): ClaimBatch {
  const isDue = (delivery: Delivery): boolean =>
    delivery.sensor.online &&
    !delivery.task.gone &&
    mayBeDue(delivery.task, delivery.sensor, nowMono) &&
    mayGo(delivery);
  const { due = [], over = [] } = Object.groupBy(claimBatch.deliveries, (delivery) =>
    isDue(delivery) ? 'due' : 'over',
  );
  return {
    ...claimBatch,
    deliveries: due.map(({ sensor, task, attempt, maybeSent }) => ({
      ...deliveryOf(sensor, task),
      attempt,
      maybeSent,
    })),
    dropped: [...claimBatch.dropped, ...over],
  };
}

/** The first of these flights, as many as one trip takes: one at least. */
export function fitting(claimBatches: readonly ClaimBatch[], maxBytes: number): ClaimBatch[] {
  let [bytes, count] = [0, 0];
  const end = claimBatches.findIndex(({ deliveries }) => {
    bytes += deliveries.reduce((sum, delivery) => sum + bytesOf(delivery), 0);
    count += deliveries.length;
    return bytes > maxBytes || count > DELIVERIES_PER_PIPELINE;
  });
  return claimBatches.slice(0, end === -1 ? undefined : Math.max(end, 1));
}

export function claimRequest({ orgPartition, epoch, fencingToken, batch, deliveries }: ClaimBatch): ClaimRequest {
  const tasks = [...Map.groupBy(deliveries, ({ task }) => task.taskId)].map(([taskId, members]) => ({
    taskId,
    deliveries: members.map(({ sensor, connectionHash, task }) => ({
      sid: sensor.sid,
      connectionHash: claimHash(connectionHash, task.doneWhenSent),
    })),
  }));
  return { oid: orgPartition.oid, epoch, partition: orgPartition.partition, fencingToken, batch, tasks };
}

/** `byTask` names the pairs in the order of the request. */
export function recheckRequest({ orgPartition, epoch, fencingToken, batch, deliveries }: ClaimBatch): {
  request: RecheckRequest;
  byTask: Delivery[][];
} {
  const groups = [...Map.groupBy(deliveries, ({ task }) => task.taskId)];
  const tasks = groups.map(([taskId, members]) => ({ taskId, sids: members.map(({ sensor }) => sensor.sid) }));
  return {
    request: { oid: orgPartition.oid, epoch, partition: orgPartition.partition, fencingToken, batch, tasks },
    byTask: groups.map(([, members]) => members),
  };
}

/** Was dropped, and may be on the log all the same: it counts as sent, and is due at the next match. */
export const isKept = ({ task, maybeSent, attempt }: Delivery): boolean =>
  maybeSent && attempt > 0 && !task.doneWhenSent;

export function confirmRequest({ orgPartition, epoch, batch, deliveries, dropped }: ClaimBatch): ConfirmRequest {
  const tasks = new Map<string, ConfirmRequest['tasks'][number]>();
  const entry = (taskId: string) => {
    const found = tasks.get(taskId) ?? { taskId, dropped: [], kept: [], done: [] };
    tasks.set(taskId, found);
    return found;
  };
  for (const delivery of dropped) {
    const { task, sensor, maybeSent, attempt } = delivery;
    if (isKept(delivery)) entry(task.taskId).kept.push(sensor.sid);
    // The TASK_DONE of what is done when sent may be on the log: such a pair stays as it is, and is claimed again as the same.
    else if (!task.doneWhenSent || (!maybeSent && attempt > 0)) entry(task.taskId).dropped.push(sensor.sid);
  }
  for (const { task, sensor } of deliveries) if (task.doneWhenSent) entry(task.taskId).done.push(sensor.sid);
  return { oid: orgPartition.oid, epoch, batch, tasks: [...tasks.values()] };
}

/** Takes out of the flight what may not be sent any more: the last check before the append. `budget`: of all flights that are
 *  checked together. */
export function dropUnfit(claimBatch: ClaimBatch, nowMono: number, marginMs: number, budget: CheckBudget): void {
  const { keep = [], drop = [] } = Object.groupBy(claimBatch.deliveries, (delivery) =>
    fits(claimBatch, delivery, nowMono, marginMs) && selectsWithin(delivery.task, delivery.sensor, budget)
      ? 'keep'
      : 'drop',
  );
  claimBatch.deliveries = keep;
  claimBatch.dropped.push(...drop);
}

function fits(
  claimBatch: ClaimBatch,
  { task, sensor, connectionHash }: Delivery,
  nowMono: number,
  marginMs: number,
): boolean {
  const { orgPartition, fencingToken, epoch, nowMs, startedMono } = claimBatch;
  return (
    orgPartition.live &&
    orgPartition.fencingToken === fencingToken &&
    orgPartition.epoch === epoch &&
    !task.gone &&
    sensor.online &&
    sensor.connectionHash === connectionHash &&
    orgPartition.sensors.get(sensor.sid) === sensor &&
    task.expiresAtMs - (nowMs + nowMono - startedMono) > marginMs
  );
}
