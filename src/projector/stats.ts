/**
 * Counts by org and minute: tasks, dispatches, receipts, and delivery latencies. They are a fold of `task-events`. Redis holds them for a
 * day, with an offset of their own, so that each record counts once and a rebuild restores the counts. The joiners write the
 * sensors online each minute; these are not restored.
 */
import type { TaskEvent } from '../model/records.ts';
import { type DeliveryState, STATE_AFTER } from '../model/states.ts';

export const STATS_MINUTES = 24 * 60;
const MINUTE_MS = 60_000;

/** The fields of a minute in Redis: a letter for each count, `l` and a bucket for latencies. */
export const COUNTED = {
  queued: 'q',
  sent: 's',
  done: 'd',
  failed: 'f',
  expired: 'e',
  removed: 'r',
} as const satisfies Record<DeliveryState, string>;

/** Four buckets for each doubling: the error of a percentile is at most a tenth. */
const BUCKETS_PER_DOUBLING = 4;
const BUCKET_MAX = 100;

export const minuteOf = (atMs: number): number => Math.floor(atMs / MINUTE_MS);
export const bucketOf = (ms: number): number =>
  Math.min(BUCKET_MAX, Math.floor(Math.log2(Math.max(0, ms) + 1) * BUCKETS_PER_DOUBLING));
/** The middle of a bucket, in ms. */
export const latencyOf = (bucket: number): number => 2 ** ((bucket + 0.5) / BUCKETS_PER_DOUBLING) - 1;

/** minute -> field -> count. */
export type Counts = Map<number, Map<string, number>>;

export type CountRequest = {
  oid: string;
  epoch: string;
  partition: number;
  /** The counts are those of the records from `fromOffset` to before `nextOffset`. */
  fromOffset: number;
  nextOffset: number;
  counts: Counts;
};

/** One minute as Redis holds it: field -> number. `o` and a partition: sensors online there. */
export type Minute = ReadonlyMap<string, number>;

export interface StatsStore {
  /** Adds counts that were not added before. For each request: null, or an offset after `fromOffset` from which on records are not
   *  counted yet. Then nothing was added, and the caller repeats the request from that offset on. */
  count(requests: CountRequest[]): Promise<(number | null)[]>;
  writeOnline(rows: { oid: string; partition: number; minute: number; online: number }[]): Promise<void>;
  /** The minutes from `first` on, oldest first. */
  read(oid: string, first: number, count: number): Promise<Minute[]>;
}

export type LoggedEvent = { offset: number; event: TaskEvent };

/** Counts the events of one org from an offset on, without those that are older than a day. */
export function foldCounts(events: readonly LoggedEvent[], fromOffset: number, nowMs: number): Counts {
  const counts: Counts = new Map();
  const oldest = minuteOf(nowMs) - STATS_MINUTES;
  for (const { offset, event } of events) {
    const minute = minuteOf(event.occurred_at);
    if (offset < fromOffset || minute < oldest) continue;
    for (const field of fieldsOf(event)) {
      const fields = counts.get(minute) ?? new Map<string, number>();
      counts.set(minute, fields.set(field, (fields.get(field) ?? 0) + 1));
    }
  }
  return counts;
}

/** A withdrawn delivery does not count as a removed task. Only the first attempt has a latency: later ones are late by design. */
function fieldsOf(event: TaskEvent): string[] {
  const name = STATE_AFTER[event.type];
  if (name === null || (name === 'removed' && event.sid !== null)) return [];
  const dueAt = event.type === 'TASK_SENT' && event.attempt === 1 ? dueAtOf(event.detail) : null;
  return dueAt === null ? [COUNTED[name]] : [COUNTED[name], `l${bucketOf(event.occurred_at - dueAt)}`];
}

function dueAtOf(detail: string | null): number | null {
  try {
    const dueAt = (JSON.parse(detail ?? '{}') as { due_at?: unknown } | null)?.due_at;
    return typeof dueAt === 'number' ? dueAt : null;
  } catch {
    return null;
  }
}

/** The latency that this share of the deliveries of a minute did not exceed; null without deliveries. */
export function percentile(minute: Minute, share: number): number | null {
  const buckets = [...minute]
    .filter(([field]) => field.startsWith('l'))
    .map(([field, count]) => [Number(field.slice(1)), count] as const)
    .sort(([a], [b]) => a - b);
  let left = buckets.reduce((sum, [, count]) => sum + count, 0) * share;
  for (const [bucket, count] of buckets) {
    left -= count;
    if (left <= 0) return latencyOf(bucket);
  }
  return null;
}

/** Sensors online in a minute; null if no joiner wrote it. */
export function onlineIn(minute: Minute): number | null {
  const rows = [...minute].filter(([field]) => field.startsWith('o'));
  return rows.length === 0 ? null : rows.reduce((sum, [, online]) => sum + online, 0);
}

/** Adds the counts of a batch. Call it before the offset of the batch moves, so that a crash cannot lose counts. */
export async function countEvents(
  store: StatsStore,
  byOrg: ReadonlyMap<string, { epoch: string; events: LoggedEvent[] }>,
  batch: { partition: number; fromOffset: number; nextOffset: number },
  nowMs: number,
): Promise<void> {
  const requestOf = (oid: string, fromOffset: number): CountRequest => {
    const { epoch, events } = byOrg.get(oid) as { epoch: string; events: LoggedEvent[] };
    return { oid, epoch, ...batch, fromOffset, counts: foldCounts(events, fromOffset, nowMs) };
  };
  const requests = [...byOrg.keys()].map((oid) => requestOf(oid, batch.fromOffset));
  const answers = requests.length === 0 ? [] : await store.count(requests);
  const again = answers.flatMap((from, i) => {
    const isLeft = from !== null && from < batch.nextOffset;
    return isLeft ? [requestOf((requests[i] as CountRequest).oid, from)] : [];
  });
  if (again.length > 0) await store.count(again);
}
