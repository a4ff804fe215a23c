/** Reads of the projection: tasks, deliveries, sensors, counts. Whatever can be large comes in pages. */
import type { TaskCommand } from '../../../model/records.ts';
import type { Delivery, TaskRecord } from '../../../model/task.ts';
import type { PresenceRow, Projection, StoredFacts } from '../../../projector/projection.ts';
import { pairsOf } from '../answers.ts';
import type { RedisClient } from '../client.ts';
import { DELIVERY_LETTERS, keys, nameOf, TASK_FIELDS, TASK_LETTERS } from '../layout.ts';
import { readPresence } from '../presence-row.ts';

type Part = Pick<
  Projection,
  | 'pendingIds'
  | 'endedIds'
  | 'readTasks'
  | 'readDeliveries'
  | 'readDelivery'
  | 'countDeliveries'
  | 'readCounts'
  | 'scanSensors'
  | 'scanFacts'
  | 'readPresence'
  | 'readSensors'
>;

const SCAN_COUNT = 2_000;
const { state, expiry, endedAt, contentHash, offset, bytes } = TASK_FIELDS;
/** In the order in which readTask gets them. */
const TASK_READ = [state, expiry, endedAt, contentHash, offset, bytes];

export function readsPart(redis: RedisClient, decodeCommand: (bytes: Buffer) => TaskCommand): Part {
  return {
    pendingIds: (oid, limit, after) => page(redis, oid, keys.pending(oid), limit, after),
    endedIds: (oid, limit, after) => page(redis, oid, keys.ended(oid), limit, after),
    readTasks: async (oid, taskIds) => {
      const replies = await redis.pipeline(
        taskIds.map((id) => ({
          oid,
          name: 'hmget',
          args: [keys.record(oid, id), ...TASK_READ],
          binary: true,
        })),
      );
      return replies.map((reply, i) => readTask(taskIds[i] as string, reply as (Buffer | null)[], decodeCommand));
    },
    readDeliveries: async (oid, taskId) => {
      const [flat] = await redis.pipeline([{ oid, name: 'hgetall', args: [keys.record(oid, taskId)] }]);
      const deliveries = new Map<string, Delivery>();
      for (const [sid, text] of Object.entries(flat as Record<string, string>))
        if (!sid.startsWith('=')) deliveries.set(sid, readDelivery(text));
      return deliveries;
    },
    readCounts: async (oid, taskId) => {
      const [rows] = await redis.pipeline([{ oid, name: 'hvals', args: [keys.counts(oid, taskId)] }]);
      const total = { partitions: 0, matched: 0, online: 0 };
      for (const row of rows as string[]) {
        const [matched, online] = row.split(' ').map(Number);
        total.partitions += 1;
        total.matched += matched ?? 0;
        total.online += online ?? 0;
      }
      return total;
    },
    countDeliveries: async (oid, taskIds) =>
      (await redis.pipeline(taskIds.map((id) => ({ oid, name: 'hlen', args: [keys.record(oid, id)] })))).map(Number),
    readDelivery: async (oid, taskId, sid) => {
      const [text] = await redis.pipeline([{ oid, name: 'hget', args: [keys.record(oid, taskId), sid] }]);
      return text === null ? null : readDelivery(text as string);
    },
    scanFacts: (oid, partition, cursor) => scanFacts(redis, oid, partition, cursor),
    scanSensors: async (oid, partition, cursor) => {
      const { sensors, next } = await scanFacts(redis, oid, partition, cursor);
      const sids = sensors.map(({ sid }) => sid);
      const presence = await presenceOf(redis, oid, partition, sids);
      return { next, sensors: sensors.map((sensor, i) => ({ ...sensor, presence: presence[i] ?? null })) };
    },
    readPresence: (oid, partition, sids) => presenceOf(redis, oid, partition, sids),
    readSensors: async (oid, partition, sids) => {
      if (sids.length === 0) return [];
      const [facts, rows] = await redis.pipeline([
        { oid, name: 'hmget', args: [keys.facts(oid, partition), ...sids], binary: true },
        { oid, name: 'hmget', args: [keys.presence(oid, partition), ...sids] },
      ]);
      return sids.map((sid, i) => {
        const [bytes, row] = [(facts as (Buffer | null)[])[i] ?? null, (rows as (string | null)[])[i]];
        return bytes === null ? null : { sid, facts: bytes, presence: row ? readPresence(row) : null };
      });
    },
  };
}

async function scanFacts(redis: RedisClient, oid: string, partition: number, cursor: string | null) {
  const [reply] = await redis.pipeline([
    { oid, name: 'hscan', args: [keys.facts(oid, partition), cursor ?? '0', 'COUNT', SCAN_COUNT], binary: true },
  ]);
  const [next, flat] = reply as [Buffer, Buffer[]];
  const sensors: StoredFacts[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2)
    sensors.push({ sid: (flat[i] as Buffer).toString('latin1'), facts: flat[i + 1] as Buffer });
  return { sensors, next: String(next) === '0' ? null : String(next) };
}

async function presenceOf(
  redis: RedisClient,
  oid: string,
  partition: number,
  sids: readonly string[],
): Promise<(PresenceRow | null)[]> {
  if (sids.length === 0) return [];
  const [rows] = await redis.pipeline([{ oid, name: 'hmget', args: [keys.presence(oid, partition), ...sids] }]);
  return (rows as (string | null)[]).map((row) => (row ? readPresence(row) : null));
}

/** Pages by (score, id): `after` is `score id` of the last member. Paging by a count would skip a member when an earlier one ends
 *  meanwhile, and a joiner that reloads would never learn of that task. */
async function page(redis: RedisClient, oid: string, key: string, limit: number, after: string | null) {
  const [score, id] =
    after === null ? ['', ''] : [after.slice(0, after.indexOf(' ')), after.slice(after.indexOf(' ') + 1)];
  const range = (from: string, to: string, count: number[]) => ({
    oid,
    name: 'zrangebyscore',
    args: [key, from, to, 'WITHSCORES', ...(count.length > 0 ? ['LIMIT', ...count] : [])],
  });
  const replies = await redis.pipeline([
    // Members that have the score of the last one. Those up to the last one come again, and are filtered out below.
    ...(after === null ? [] : [range(score, score, [])]),
    range(after === null ? '-inf' : `(${score}`, '+inf', [0, limit + 1]),
  ]);
  const members = replies
    .flatMap((flat) => pairsOf(flat, (member, at) => ({ member, at })))
    .filter(({ member, at }) => at !== score || member > id);
  const found = members.slice(0, limit);
  const last = found.at(-1);
  return {
    ids: found.map(({ member }) => member),
    next: last && members.length > limit ? `${last.at} ${last.member}` : null,
  };
}

function readTask(
  taskId: string,
  fields: (Buffer | null)[],
  decodeCommand: (bytes: Buffer) => TaskCommand,
): TaskRecord | null {
  const [state, expiry, ended, hash, offset, bytes] = fields;
  if (!state || !bytes || !hash) return null;
  return {
    taskId,
    state: nameOf(TASK_LETTERS, String(state)),
    expiresAtMs: Number(expiry),
    endedAtMs: ended ? Number(ended) : null,
    contentHash: String(hash),
    offset: Number(offset),
    command: decodeCommand(bytes),
  };
}

function readDelivery(text: string): Delivery {
  const [letter = '', attempt, at, detail = '', batch = ''] = text.split(' ');
  const state = nameOf(DELIVERY_LETTERS, letter);
  return { state, attempt: Number(attempt), atMs: Number(at), reason: state === 'sent' ? batch : detail };
}
