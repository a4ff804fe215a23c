/** The reads of the projection in memory. */
import type { TaskCommand } from '../../../src/model/records.ts';
import type { Delivery, TaskRecord } from '../../../src/model/task.ts';
import type { StoredFacts, StoredSensor } from '../../../src/projector/projection.ts';
import { rowOf } from './joiner-scripts.ts';
import type { MemoryRedis } from './state.ts';

/** Ordered by (score, id). `after` is `score id` of the last member. */
export function page(set: ReadonlyMap<string, number>, limit: number, after: string | null) {
  const [score, id] =
    after === null ? [Number.NEGATIVE_INFINITY, ''] : [Number.parseFloat(after), after.slice(after.indexOf(' ') + 1)];
  const members = [...set]
    .filter(([member, at]) => at > score || (at === score && member > id))
    .sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1));
  const found = members.slice(0, limit);
  const last = found.at(-1);
  return {
    ids: found.map(([member]) => member),
    next: last && members.length > limit ? `${last[1]} ${last[0]}` : null,
  };
}

export function readTask(
  redis: MemoryRedis,
  oid: string,
  taskId: string,
  decode: (bytes: Buffer) => TaskCommand,
): TaskRecord | null {
  const row = redis.row(redis.org(oid), taskId);
  if (!row?.state || row.bytes === null || row.hash === null) return null;
  return {
    taskId,
    state: row.state,
    expiresAtMs: row.expiry,
    endedAtMs: row.ended,
    contentHash: row.hash,
    offset: row.made ?? Number.NaN,
    command: decode(row.bytes),
  };
}

export function readDeliveries(redis: MemoryRedis, oid: string, taskId: string): Map<string, Delivery> {
  const deliveries = new Map<string, Delivery>();
  for (const [sid, { state, attempt, at, extra, batch }] of redis.row(redis.org(oid), taskId)?.deliveries ?? [])
    deliveries.set(sid, { state, attempt, atMs: at, reason: state === 'sent' ? batch : extra });
  return deliveries;
}

/** Like HLEN: the fields of the task itself count too. */
export function countDeliveries(redis: MemoryRedis, oid: string, taskId: string): number {
  const row = redis.row(redis.org(oid), taskId);
  return row ? row.deliveries.size + 1 : 0;
}

export function readCounts(redis: MemoryRedis, oid: string, taskId: string) {
  const total = { partitions: 0, matched: 0, online: 0 };
  const counts = redis.org(oid).counts.get(taskId);
  if (!counts || counts.expireAt <= redis.now) return total;
  for (const [matched, online] of counts.rows.values()) {
    total.partitions += 1;
    total.matched += matched;
    total.online += online;
  }
  return total;
}

export function readFacts(redis: MemoryRedis, oid: string, partition: number): StoredFacts[] {
  return [...(redis.org(oid).facts.get(partition) ?? [])].map(([sid, facts]) => ({ sid, facts }));
}

export function readPresence(redis: MemoryRedis, oid: string, partition: number, sids: readonly string[]) {
  return sids.map((sid) => rowOf(redis.org(oid).presence.get(partition)?.get(sid)));
}

/** null: not known. */
export function readSensors(
  redis: MemoryRedis,
  oid: string,
  partition: number,
  sids: readonly string[],
): (StoredSensor | null)[] {
  const presence = readPresence(redis, oid, partition, sids);
  return sids.map((sid, i) => {
    const facts = redis.org(oid).facts.get(partition)?.get(sid);
    return facts === undefined ? null : { sid, facts, presence: presence[i] ?? null };
  });
}
