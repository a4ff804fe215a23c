/** The scripts of the joiner, each as one synchronous step: takeover, rows, claim, recheck, confirm, ack, changes. */

import { NO_BATCH, NO_DETAIL } from '../../../src/edges/redis/layout.ts';
import type { StoredState } from '../../../src/model/states.ts';
import type {
  AckRequest,
  AckWord,
  Answer,
  ClaimAnswer,
  ClaimRequest,
  ClaimWord,
  ConfirmRequest,
  InFlight,
  PresenceRow,
  RecheckRequest,
  SensorRows,
  TaskChange,
} from '../../../src/projector/projection.ts';
import {
  type DeliveryRow,
  doneWhenSent,
  type Marker,
  type MemoryRedis,
  type OrgData,
  type Row,
  raise,
} from './state.ts';

export type ClaimSettings = { leaseMs: number; marginMs: number; firstBackoffMs: number; maxBackoffMs: number };

const entries = (set: Iterable<[string, number]>): InFlight[] =>
  [...set].map(([batch, untilMs]) => ({ batch, untilMs })).sort((a, b) => a.untilMs - b.untilMs);

const running = (org: OrgData, now: number): InFlight[] => entries([...org.inFlight].filter(([, end]) => end > now));

export function takeover(redis: MemoryRedis, oid: string, epoch: string, partition: number) {
  const refused = redis.use(oid, epoch);
  if (refused) return refused;
  const org = redis.org(oid);
  const { tokens, offsets } = org.marker as Marker;
  const fencingToken = (tokens.get(partition) ?? 0) + 1;
  tokens.set(partition, fencingToken);
  return {
    ok: true as const,
    fencingToken: String(fencingToken),
    nextOffset: offsets.s.get(partition) ?? null,
    inFlight: entries([...org.inFlight].filter(([batch]) => batch.startsWith(`${partition}:`))),
    nowMs: redis.now,
  };
}

export function rows(redis: MemoryRedis, request: SensorRows): Answer<object> {
  const { oid, epoch, partition, fencingToken, nextOffset } = request;
  const refused = redis.use(oid, epoch, partition, fencingToken);
  if (refused) return refused;
  const org = redis.org(oid);
  if (request.replace) {
    const { offsets, live } = org.marker as Marker;
    for (const kept of [org.facts, org.presence, offsets.s]) kept.delete(partition);
    live.delete(partition);
  }
  const facts = org.facts.get(partition) ?? new Map<string, Buffer>();
  const presence = org.presence.get(partition) ?? new Map<string, string>();
  for (const { sid, bytes } of request.facts) facts.set(sid, bytes);
  for (const { sid, row } of request.presence) presence.set(sid, JSON.stringify(row));
  for (const sid of request.forgotten) {
    facts.delete(sid);
    presence.delete(sid);
  }
  if (facts.size > 0) org.facts.set(partition, facts);
  if (presence.size > 0) org.presence.set(partition, presence);
  raise((org.marker as Marker).offsets.s, partition, nextOffset);
  if (request.live) (org.marker as Marker).live.add(partition);
  redis.onRead(oid, partition, nextOffset);
  return { ok: true };
}

export const rowOf = (text: string | undefined): PresenceRow | null =>
  text === undefined ? null : (JSON.parse(text) as PresenceRow);

export function claim(redis: MemoryRedis, request: ClaimRequest, settings: ClaimSettings): ClaimAnswer {
  const { oid, epoch, partition, fencingToken, batch } = request;
  const refused = redis.use(oid, epoch, partition, fencingToken);
  if (refused) return refused;
  const org = redis.org(oid);
  const { now } = redis;
  let claimed = false;
  const words = request.tasks.map(({ taskId, deliveries }): ClaimWord[] => {
    const row = redis.row(org, taskId);
    if (!row || !isOpen(redis, row, settings.marginMs)) return deliveries.map(() => ({ word: 'gone' }));
    const old = deliveries.map(({ sid }) => row.deliveries.get(sid));
    return deliveries.map(({ sid, connectionHash }, i) => {
      const word = decide(redis, org, old[i], connectionHash, settings);
      if (word.word !== 'claimed') return word;
      claimed = true;
      const settled = old[i] !== undefined && old[i].state !== 'sent';
      if (!settled)
        row.deliveries.set(sid, { state: 'sent', attempt: word.attempt, at: now, extra: connectionHash, batch });
      return word;
    });
  });
  if (claimed) org.inFlight.set(batch, now + settings.leaseMs);
  return { ok: true, version: (org.marker as Marker).version, nowMs: now, words };
}

const isOpen = ({ lax, now }: MemoryRedis, row: Row, marginMs: number): boolean =>
  (row.state === 'pending' ||
    (lax.removal === true && row.state === 'removed') ||
    (lax.expiry === true && row.state === 'expired')) &&
  (row.expiry - now > marginMs || lax.expiry === true);

function decide(
  { lax, now }: MemoryRedis,
  org: OrgData,
  delivery: DeliveryRow | undefined,
  connectionHash: string,
  { firstBackoffMs, maxBackoffMs }: ClaimSettings,
): ClaimWord {
  if (delivery === undefined) return { word: 'claimed', attempt: 1 };
  const { state, attempt, at, extra, batch } = delivery;
  if (state !== 'sent' && (state === 'removed' || !lax.settled)) return { word: 'settled' };
  const end = batch === NO_BATCH ? 0 : (org.inFlight.get(batch) ?? 0);
  if (end > now) return { word: 'wait', untilMs: end };
  if (end > 0 && attempt > 0) return { word: 'claimed', attempt, again: true };
  if (doneWhenSent(extra) && batch !== NO_BATCH && attempt > 0) return { word: 'claimed', attempt, again: true };
  const dueMs = at + Math.min(firstBackoffMs * 2 ** Math.min(attempt - 1, 30), maxBackoffMs);
  if (state === 'sent' && extra === connectionHash && dueMs > now) return { word: 'wait', untilMs: dueMs };
  return { word: 'claimed', attempt: attempt + 1 };
}

export function recheck(redis: MemoryRedis, request: RecheckRequest, settings: ClaimSettings) {
  const { oid, epoch, partition, fencingToken, batch } = request;
  const refused = redis.use(oid, epoch, partition, fencingToken);
  if (refused) return refused;
  const org = redis.org(oid);
  const { now } = redis;
  const kept = request.tasks.map(({ taskId, sids }) => {
    const row = redis.row(org, taskId);
    const open = row !== undefined && isOpen(redis, row, settings.marginMs);
    return sids.map((sid) => {
      const delivery = row?.deliveries.get(sid);
      if (!open || delivery?.state !== 'sent' || delivery.batch !== batch) return false;
      row.deliveries.set(sid, { ...delivery, at: now });
      return true;
    });
  });
  if (kept.some((task) => task.includes(true))) org.inFlight.set(batch, now + settings.leaseMs);
  return { ok: true as const, nowMs: now, kept };
}

export function confirm(redis: MemoryRedis, { oid, epoch, batch, tasks }: ConfirmRequest): Answer<object> {
  const org = redis.org(oid);
  if (org.marker === null) return { ok: false, why: 'lost' };
  if (org.marker.epoch !== epoch) return { ok: false, why: 'epoch', epoch: org.marker.epoch };
  for (const { taskId, dropped, kept, done } of tasks) {
    const deliveries = redis.row(org, taskId)?.deliveries;
    const mine = (sid: string, ...states: StoredState[]) => {
      const delivery = deliveries?.get(sid);
      return delivery && states.includes(delivery.state) && delivery.batch === batch ? delivery : null;
    };
    for (const sid of dropped) {
      const delivery = mine(sid, 'sent');
      if (delivery && delivery.attempt <= 1) deliveries?.delete(sid);
      else if (delivery)
        deliveries?.set(sid, { ...delivery, attempt: delivery.attempt - 1, extra: NO_DETAIL, batch: NO_BATCH });
    }
    for (const sid of kept) {
      const delivery = mine(sid, 'sent');
      if (delivery) deliveries?.set(sid, { ...delivery, extra: NO_DETAIL, batch: NO_BATCH });
    }
    for (const sid of done) {
      const delivery = mine(sid, 'sent', 'removed');
      if (delivery)
        deliveries?.set(sid, {
          ...delivery,
          state: 'done',
          attempt: 1,
          at: redis.now,
          extra: NO_DETAIL,
          batch: NO_BATCH,
        });
    }
  }
  org.inFlight.delete(batch);
  return { ok: true };
}

export function ack(redis: MemoryRedis, { oid, epoch, partition, fencingToken, acks }: AckRequest) {
  const refused = redis.use(oid, epoch, partition, fencingToken);
  if (refused) return refused;
  const org = redis.org(oid);
  const { now } = redis;
  const wait = new Map<string, number>();
  let all = false;
  const words = acks.map(({ taskId, sid, state, code }): AckWord => {
    const row = redis.row(org, taskId);
    if (row?.hash == null) return { word: 'gone' };
    const was = row.deliveries.get(sid);
    if ((was?.state === 'done' || was?.state === 'failed') && !redis.lax.first) {
      all = true;
      return ackWord('repeat', row.doneWhenSent ? { ...was, attempt: 1 } : was, row.expiry);
    }
    const end = was === undefined ? 0 : (org.inFlight.get(was.batch) ?? 0);
    if (was && end > now) wait.set(was.batch, end);
    const ran = row.doneWhenSent;
    const delivery: DeliveryRow = {
      state: ran ? 'done' : state,
      attempt: ran ? 1 : (was?.attempt ?? 0),
      at: now,
      extra: ran ? NO_DETAIL : code || NO_DETAIL,
      batch: NO_BATCH,
    };
    row.deliveries.set(sid, delivery);
    return ackWord('first', delivery, row.expiry);
  });
  if (all) for (const { batch, untilMs } of running(org, now)) wait.set(batch, untilMs);
  return { ok: true as const, nowMs: now, words, waitFor: entries(wait) };
}

const ackWord = (word: 'first' | 'repeat', delivery: DeliveryRow, expiresAtMs: number): AckWord => ({
  word,
  state: delivery.state as 'done' | 'failed',
  attempt: delivery.attempt,
  atMs: delivery.at,
  code: delivery.extra,
  expiresAtMs,
});

export function inFlight(redis: MemoryRedis, oid: string, epoch: string) {
  const refused = redis.use(oid, epoch);
  if (refused) return refused;
  return { ok: true as const, nowMs: redis.now, entries: running(redis.org(oid), redis.now) };
}

export function changes(redis: MemoryRedis, oid: string, epoch: string, from: number) {
  const refused = redis.use(oid, epoch);
  if (refused) return refused;
  const { log, marker } = redis.org(oid);
  const { version } = marker as Marker;
  const behind = version - from;
  if (behind < 0 || behind > log.length) return { ok: true as const, version, changes: 'reload' as const };
  const tail = behind === 0 ? [] : log.slice(-behind);
  return {
    ok: true as const,
    version,
    changes: tail.map(
      (entry): TaskChange => ({ kind: entry[0] === '+' ? 'added' : 'removed', taskId: entry.slice(1) }),
    ),
  };
}
