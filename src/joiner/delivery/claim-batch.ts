/**
 * A claim batch: the claims of one org partition that are taken, produced and confirmed together, with one lease. Pure: how due
 * deliveries become claim batches, what each step asks of Redis, and the last check of each claim before the produce.
 *
 * A claim that is not to be sent after all is dropped. Redis then takes its attempt back, unless the attempt may be on the log
 * (`maybeSent`): such an attempt counts as sent.
 */
import { claimHash } from '../../model/task.ts';
import type { ClaimRequest, ConfirmRequest, RecheckRequest } from '../../projector/projection.ts';
import type { OrgPartition, Sensor } from '../org-partition.ts';
import { type CheckBudget, type Due, selectsWithin, type Task } from '../org-tasks.ts';
import { mayBeDue } from '../redelivery.ts';

/** `attempt` 0: Redis has not numbered it yet. `maybeSent`: this attempt may be on the log, because of an earlier claim or a failed
 *  produce. */
export type Claim = Due & { connectionHash: string; attempt: number; connectionId: string; maybeSent: boolean };

export type ClaimBatch = {
  orgPartition: OrgPartition;
  /** The id of the batch in Redis. */
  batch: string;
  epoch: string;
  fencingToken: string;
  claims: Claim[];
  dropped: Claim[];
  /** When the claims were last asked for, monotonic ms. */
  startedMono: number;
  /** The clock of Redis then, Unix ms. */
  nowMs: number;
};

/** Deliveries in one script, so that it holds Redis for a few milliseconds at most. */
const DELIVERIES_PER_SCRIPT = 500;
/** Deliveries in one pipeline, however small they are. */
const DELIVERIES_PER_PIPELINE = 4_000;

/** Bytes of a dispatch besides its texts: the oid, the dispatch id, numbers, lengths, and the overhead of the log. */
const FIXED_BYTES = 220;
const UTF8_MOST = 3;

/** Upper bound of the bytes of the dispatch on the log, with its key. */
export const bytesOf = ({ task, sensor }: Due): number =>
  FIXED_BYTES +
  task.textBytes +
  task.taskId.length +
  2 * sensor.sid.length +
  UTF8_MOST * (sensor.connectionId?.length ?? 0);

/** The claim batches of the next pipeline: from `deliveries[from]` on, up to `maxBytes` of dispatches, but at least one delivery.
 *  Skips deliveries that need no claim. `next`: where the pipeline after it starts. */
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
    if (!claimBatch || claimBatch.claims.length >= DELIVERIES_PER_SCRIPT) {
      claimBatch = newClaimBatch(orgPartition, orgPartition.fencingToken, newBatch(orgPartition));
      open.set(orgPartition, claimBatch);
      claimBatches.push(claimBatch);
    }
    claimBatch.claims.push(newClaim(sensor, task));
    bytes += size;
    count += 1;
  }
  return { claimBatches, next };
}

const newClaim = (sensor: Sensor, task: Task): Claim => ({
  sensor,
  task,
  connectionHash: sensor.connectionHash,
  attempt: 0,
  connectionId: sensor.connectionId ?? '',
  maybeSent: false,
});

const newClaimBatch = (orgPartition: OrgPartition, fencingToken: string, batch: string): ClaimBatch => ({
  orgPartition,
  batch,
  epoch: orgPartition.epoch,
  fencingToken,
  claims: [],
  dropped: [],
  startedMono: 0,
  nowMs: 0,
});

/** This process still owns the org partition with the fencing token of the claim batch. */
export const isHeld = ({ orgPartition, fencingToken, epoch }: ClaimBatch): boolean =>
  orgPartition.fencingToken === fencingToken && orgPartition.epoch === epoch;

/** The claim batch as it is asked for again after its lease, with the connections that are open now. What is no longer due is
 *  dropped: Redis frees it if it has it in this batch. The next match finds it again. */
export function resumed(claimBatch: ClaimBatch, nowMono: number, maySend: (due: Due) => boolean): ClaimBatch {
  const isDue = (claim: Claim): boolean =>
    claim.sensor.online && !claim.task.gone && mayBeDue(claim.task, claim.sensor, nowMono) && maySend(claim);
  const { due = [], over = [] } = Object.groupBy(claimBatch.claims, (claim) => (isDue(claim) ? 'due' : 'over'));
  return {
    ...claimBatch,
    claims: due.map(({ sensor, task, attempt, maybeSent }) => ({ ...newClaim(sensor, task), attempt, maybeSent })),
    dropped: [...claimBatch.dropped, ...over],
  };
}

/** The first claim batches that fit one pipeline, at least one. */
export function firstPipeline(claimBatches: readonly ClaimBatch[], maxBytes: number): ClaimBatch[] {
  let [bytes, count] = [0, 0];
  const end = claimBatches.findIndex(({ claims }) => {
    bytes += claims.reduce((sum, claim) => sum + bytesOf(claim), 0);
    count += claims.length;
    return bytes > maxBytes || count > DELIVERIES_PER_PIPELINE;
  });
  return claimBatches.slice(0, end === -1 ? undefined : Math.max(end, 1));
}

export function claimRequest({ orgPartition, epoch, fencingToken, batch, claims }: ClaimBatch): ClaimRequest {
  const tasks = [...Map.groupBy(claims, ({ task }) => task.taskId)].map(([taskId, ofTask]) => ({
    taskId,
    deliveries: ofTask.map(({ sensor, connectionHash, task }) => ({
      sid: sensor.sid,
      connectionHash: claimHash(connectionHash, task.doneWhenSent),
    })),
  }));
  return { oid: orgPartition.oid, epoch, partition: orgPartition.partition, fencingToken, batch, tasks };
}

/** `byTask`: the claims in the order of the request. */
export function recheckRequest({ orgPartition, epoch, fencingToken, batch, claims }: ClaimBatch): {
  request: RecheckRequest;
  byTask: Claim[][];
} {
  const groups = [...Map.groupBy(claims, ({ task }) => task.taskId)];
  const tasks = groups.map(([taskId, ofTask]) => ({ taskId, sids: ofTask.map(({ sensor }) => sensor.sid) }));
  return {
    request: { oid: orgPartition.oid, epoch, partition: orgPartition.partition, fencingToken, batch, tasks },
    byTask: groups.map(([, ofTask]) => ofTask),
  };
}

/** A dropped claim whose attempt may be on the log: it counts as sent, and is due at the next match. */
export const isKept = ({ task, maybeSent, attempt }: Claim): boolean => maybeSent && attempt > 0 && !task.doneWhenSent;

export function confirmRequest({ orgPartition, epoch, batch, claims, dropped }: ClaimBatch): ConfirmRequest {
  const tasks = new Map<string, ConfirmRequest['tasks'][number]>();
  const entry = (taskId: string) => {
    const found = tasks.get(taskId) ?? { taskId, dropped: [], kept: [], done: [] };
    tasks.set(taskId, found);
    return found;
  };
  for (const claim of dropped) {
    const { task, sensor, maybeSent, attempt } = claim;
    if (isKept(claim)) entry(task.taskId).kept.push(sensor.sid);
    // The TASK_DONE of a delivery that is done when sent may be on the log: it keeps its claim, and the same attempt is claimed again.
    else if (!task.doneWhenSent || (!maybeSent && attempt > 0)) entry(task.taskId).dropped.push(sensor.sid);
  }
  for (const { task, sensor } of claims) if (task.doneWhenSent) entry(task.taskId).done.push(sensor.sid);
  return { oid: orgPartition.oid, epoch, batch, tasks: [...tasks.values()] };
}

/** The last check before the append: drops the claims that must not be sent any more. `budget` is shared by all claim batches of
 *  one check. */
export function dropUnfit(claimBatch: ClaimBatch, nowMono: number, marginMs: number, budget: CheckBudget): void {
  const { keep = [], drop = [] } = Object.groupBy(claimBatch.claims, (claim) =>
    isFit(claimBatch, claim, nowMono, marginMs) && selectsWithin(claim.task, claim.sensor, budget) ? 'keep' : 'drop',
  );
  claimBatch.claims = keep;
  claimBatch.dropped.push(...drop);
}

function isFit(
  claimBatch: ClaimBatch,
  { task, sensor, connectionHash }: Claim,
  nowMono: number,
  marginMs: number,
): boolean {
  const { orgPartition, nowMs, startedMono } = claimBatch;
  return (
    orgPartition.live &&
    isHeld(claimBatch) &&
    !task.gone &&
    sensor.online &&
    sensor.connectionHash === connectionHash &&
    orgPartition.sensors.get(sensor.sid) === sensor &&
    task.expiresAtMs - (nowMs + nowMono - startedMono) > marginMs
  );
}
