/** The scripts of the projector, each as one synchronous step: begin, attest, apply, events, narrow, advance, due. */

import { NO_BATCH, NO_DETAIL } from '../../../src/edges/redis/layout.ts';
import type { StoredState } from '../../../src/model/states.ts';
import type {
  AckedEvent,
  AckedRequest,
  Answer,
  ApplyAnswer,
  ApplyCommand,
  ApplyOutcome,
  ApplyRequest,
  AttestRequest,
  NarrowRequest,
  OrgStatus,
} from '../../../src/projector/projection.ts';
import { type DeliveryRow, type Marker, type MemoryRedis, type OrgData, raise } from './state.ts';

const ANNOUNCE_LEASE_MS = 10_000;

export function status(redis: MemoryRedis, oid: string): OrgStatus | null {
  const { marker } = redis.org(oid);
  return (
    marker && {
      epoch: marker.epoch,
      usable: marker.attestedFor === redis.runId,
      version: marker.version,
      begunAtMs: marker.begunAt,
      nowMs: redis.now,
      commandOffsets: new Map(marker.offsets.c),
      eventOffsets: new Map(marker.offsets.t),
      presenceOffsets: new Map(marker.offsets.s),
      livePartitions: new Set(marker.live),
    }
  );
}

export function begin(redis: MemoryRedis, oid: string): OrgStatus {
  const org = redis.org(oid);
  if (org.marker?.begunBy !== redis.runId) {
    const kept: Pick<Marker, 'version' | 'offsets' | 'tokens'> = org.marker ?? {
      version: 0,
      offsets: { c: new Map(), t: new Map(), s: new Map() },
      tokens: new Map(),
    };
    org.marker = {
      ...kept,
      epoch: redis.newEpoch(),
      attestedFor: null,
      begunBy: redis.runId,
      begunAt: redis.now,
      attested: new Set(),
      live: new Set(),
    };
  }
  return status(redis, oid) as OrgStatus;
}

export function attest(
  redis: MemoryRedis,
  { oid, epoch, kind, partition, nextOffset, total }: AttestRequest,
): Answer<object> {
  const refused = redis.rebuild(oid, epoch);
  if (refused) return refused;
  const marker = redis.org(oid).marker as Marker;
  raise(marker.offsets[kind], partition, nextOffset);
  marker.attested.add(kind + partition);
  if (marker.attested.size >= total) marker.attestedFor = redis.runId;
  return { ok: true };
}

export function apply(
  redis: MemoryRedis,
  { oid, epoch, partition, nextOffset, commands }: ApplyRequest,
  retentionMs: number,
): ApplyAnswer {
  const refused = redis.rebuild(oid, epoch);
  if (refused) return refused;
  const org = redis.org(oid);
  const { offsets } = org.marker as Marker;
  const done = offsets.c.get(partition) ?? 0;
  const changes: string[] = [];
  const outcomes: ApplyOutcome[] = [];
  const expiriesMs: (number | null)[] = [];
  for (const command of commands) {
    if (command.op === 'task') {
      outcomes.push(applyTask(redis, org, command, done, retentionMs, changes));
      expiriesMs.push(command.expiresAtMs);
      continue;
    }
    const expiry = redis.row(org, command.taskId)?.expiry ?? null;
    const outcome = applyUntask(redis, org, command, done, retentionMs, changes);
    outcomes.push(outcome);
    expiriesMs.push(outcome === 'removed' ? expiry : null);
  }
  redis.changed(org, changes);
  if (nextOffset > done) offsets.c.set(partition, nextOffset);
  return { ok: true, outcomes, expiriesMs };
}

const TRACE_MS = 3_600_000;

function applyTask(
  redis: MemoryRedis,
  org: OrgData,
  { offset, taskId, appendedAtMs, expiresAtMs, contentHash, doneWhenSent, bytes }: ApplyCommand & { op: 'task' },
  done: number,
  retentionMs: number,
  changes: string[],
): ApplyOutcome {
  const is = redis.row(org, taskId);
  if (is?.hash != null) {
    if (is.made === offset) return 'added';
    if (is.made !== null && offset < is.made) return 'past';
    if (is.state === 'removed' && is.removed !== null && is.removed < offset) return 'conflict';
    return is.hash === contentHash ? 'same' : 'conflict';
  }
  const gone = expiresAtMs + retentionMs;
  const trace = is?.trace;
  if (trace && trace.made < offset && trace.gone > appendedAtMs)
    return trace.hash === contentHash ? 'same' : 'conflict';
  if (gone <= redis.now && gone > appendedAtMs && offset >= done) {
    const row = redis.makeRow(org, taskId, 0);
    row.trace = { gone, hash: contentHash, made: offset };
    row.expireAt = redis.now + TRACE_MS;
    org.rows.set(taskId, row);
  }
  if (offset < done || gone <= redis.now) return 'past';
  const early = is?.ended != null;
  const row = redis.makeRow(org, taskId, gone);
  const made = {
    state: early ? 'expired' : 'pending',
    expiry: expiresAtMs,
    made: offset,
    hash: contentHash,
    bytes,
  } as const;
  Object.assign(row, made, { doneWhenSent, trace: null, expireAt: gone });
  if (early) org.ended.set(taskId, gone);
  else {
    if (expiresAtMs > redis.now) org.tasks.set(taskId, expiresAtMs);
    org.pending.set(taskId, expiresAtMs);
    changes.push(`+${taskId}`);
  }
  return 'added';
}

function applyUntask(
  redis: MemoryRedis,
  org: OrgData,
  { offset, taskId, appendedAtMs }: ApplyCommand & { op: 'untask' },
  done: number,
  retentionMs: number,
  changes: string[],
): ApplyOutcome {
  const row = redis.row(org, taskId);
  if (row?.state === 'removed' && row.removed === offset) return 'removed';
  const forgotten = appendedAtMs + retentionMs;
  if (row?.trace && row.trace.gone > forgotten) row.trace = { ...row.trace, gone: forgotten };
  if (offset < done || row?.hash == null || row.state === 'removed' || row.expiry <= appendedAtMs) return 'nothing';
  Object.assign(row, { state: 'removed', ended: appendedAtMs, removed: offset, expireAt: forgotten });
  org.tasks.delete(taskId);
  org.pending.delete(taskId);
  org.ended.set(taskId, forgotten);
  changes.push(`-${taskId}`);
  return 'removed';
}

export function applyEvents(
  redis: MemoryRedis,
  { oid, epoch, partition, nextOffset, events }: AckedRequest,
  retentionMs: number,
): Answer<object> {
  const refused = redis.rebuild(oid, epoch);
  if (refused) return refused;
  const org = redis.org(oid);
  const changes: string[] = [];
  for (const event of events) {
    if (event.type === 'expired') applyExpired(redis, org, event, retentionMs, changes);
    else applyDelivery(redis, org, event as AckedEvent & { type: StoredState }, retentionMs);
  }
  redis.changed(org, changes);
  raise((org.marker as Marker).offsets.t, partition, nextOffset);
  return { ok: true };
}

function applyExpired(
  redis: MemoryRedis,
  org: OrgData,
  { taskId, expiresAtMs }: AckedEvent,
  retentionMs: number,
  changes: string[],
): void {
  const known = redis.row(org, taskId);
  if (known?.state != null && known.state !== 'pending') return;
  const row = redis.makeRow(org, taskId, expiresAtMs + retentionMs);
  row.ended = expiresAtMs;
  if (row.hash === null) return;
  row.state = 'expired';
  org.pending.delete(taskId);
  org.tasks.delete(taskId);
  org.ended.set(taskId, expiresAtMs + retentionMs);
  changes.push(`-${taskId}`);
}

function applyDelivery(
  redis: MemoryRedis,
  org: OrgData,
  { type, taskId, sid, attempt, atMs, expiresAtMs, extra }: AckedEvent & { type: StoredState },
  retentionMs: number,
): void {
  const { deliveries } = redis.makeRow(org, taskId, expiresAtMs + retentionMs);
  const old = deliveries.get(sid);
  if (old?.state === 'done' || old?.state === 'failed') return;
  if (type === 'sent' && old && (old.state === 'removed' || old.attempt >= attempt)) return;
  const raised = type === 'removed' ? Math.max(old?.attempt ?? 0, attempt) : attempt;
  deliveries.set(sid, { state: type, attempt: raised, at: atMs, extra: extra || NO_DETAIL, batch: NO_BATCH });
}

export function narrow(
  redis: MemoryRedis,
  { oid, epoch, partition, offset, taskId, sids, atMs }: NarrowRequest,
): Answer<{ sids: string[] }> {
  const refused = redis.rebuild(oid, epoch);
  if (refused) return refused;
  const org = redis.org(oid);
  const { offsets } = org.marker as Marker;
  const row = redis.row(org, taskId);
  const mine = (delivery: DeliveryRow | undefined) =>
    delivery?.state === 'removed' && delivery.extra === String(offset);
  if (offset < (offsets.c.get(partition) ?? 0))
    return {
      ok: true,
      sids: [...(row?.deliveries ?? [])].filter(([, delivery]) => mine(delivery)).map(([sid]) => sid),
    };
  const withdrawn: string[] = [];
  if (row?.state === 'pending' && row.expiry > atMs) {
    for (const sid of sids) {
      const old = row.deliveries.get(sid);
      const due = (old?.state ?? 'sent') === 'sent';
      const { attempt, batch } = old ?? { attempt: 0, batch: NO_BATCH };
      if (due) row.deliveries.set(sid, { state: 'removed', attempt, at: atMs, extra: String(offset), batch });
      if (due || mine(old)) withdrawn.push(sid);
    }
  }
  return { ok: true, sids: withdrawn };
}

export function advance(
  redis: MemoryRedis,
  {
    oid,
    epoch,
    kind,
    partition,
    nextOffset,
  }: { oid: string; epoch: string; kind: 'c' | 't'; partition: number; nextOffset: number },
): Answer<object> {
  const refused = redis.rebuild(oid, epoch);
  if (refused) return refused;
  raise((redis.org(oid).marker as Marker).offsets[kind], partition, nextOffset);
  return { ok: true };
}

/** The reads before the script, and the script: returns the tasks whose TASK_EXPIRED the caller writes. */
export function due(redis: MemoryRedis, oid: string, epoch: string, limit: number, retentionMs: number) {
  const org = redis.org(oid);
  const { now } = redis;
  for (const [id, goes] of org.ended) if (goes <= now) org.ended.delete(id);
  const over = (set: Map<string, number>) =>
    [...set]
      .filter(([, at]) => at <= now)
      .sort((a, b) => a[1] - b[1])
      .slice(0, limit)
      .map(([id]) => id);
  const ids = new Set([...over(org.pending), ...over(org.announcing)]);
  if (redis.use(oid, epoch)) return [];
  const changes: string[] = [];
  const mine: { oid: string; taskId: string; expiresAtMs: number }[] = [];
  for (const taskId of ids) {
    const expiry = org.pending.get(taskId);
    const row = redis.row(org, taskId);
    if (expiry !== undefined) {
      org.pending.delete(taskId);
      if (row) Object.assign(row, { state: 'expired', ended: expiry });
      org.ended.set(taskId, expiry + retentionMs);
      changes.push(`-${taskId}`);
      mine.push({ oid, taskId, expiresAtMs: expiry });
    } else if (row?.state === 'expired') mine.push({ oid, taskId, expiresAtMs: row.expiry });
    else org.announcing.delete(taskId);
  }
  for (const { taskId } of mine) org.announcing.set(taskId, now + ANNOUNCE_LEASE_MS);
  redis.changed(org, changes);
  return mine;
}
