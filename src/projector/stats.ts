/**
 * What happened each minute, by org: tasks queued, dispatches sent, answers, and how long deliveries took. A fold of
 * `task-events`, kept in Redis for a day beside an offset of its own, so that each record counts once and a rebuild brings
 * the counts back. Sensors online are written by the joiners each minute and are not restored. Pure, but for the port.
 */
import type { TaskEvent } from '../model/records.ts';
import { type DeliveryState, STATE_AFTER } from '../model/states.ts';

export const STATS_MINUTES = 24 * 60;
const MINUTE_MS = 60_000;

/** Fields of a minute: a letter for what was counted, `l` and a bucket for latencies. */
export const COUNTED = {
  queued: 'q',
  sent: 's',
  done: 'd',
  failed: 'f',
  expired: 'e',
  removed: 'r',
} as const satisfies Record<DeliveryState, string>;

/** Four buckets an octave: a percentile read from them is at most a tenth off. */
const BUCKETS_AN_OCTAVE = 4;
const BUCKET_MAX = 100;

export const minuteOf = (atMs: number): number => Math.floor(atMs / MINUTE_MS);
export const bucketOf = (ms: number): number =>
  Math.min(BUCKET_MAX, Math.floor(Math.log2(Math.max(0, ms) + 1) * BUCKETS_AN_OCTAVE));
/** The middle of a bucket, in ms. */
export const latencyOf = (bucket: number): number => 2 ** ((bucket + 0.5) / BUCKETS_AN_OCTAVE) - 1;

/** minute -> field -> how many. */
export type Counts = Map<number, Map<string, number>>;

export type CountRequest = {
  oid: string;
  epoch: string;
  partition: number;
  /** The counts are of the records from the one to before the other. */
  fromOffset: number;
  nextOffset: number;
  counts: Counts;
};

/** One minute as it is kept: field -> number; `o` and a partition: sensors online there. */
export type Minute = ReadonlyMap<string, number>;

export interface StatsStore {
  /** Adds what was not added before. Answers, by request, null, or the offset from where this partition's records still
   *  count when that is later than `fromOffset`: then nothing was added, and it is asked again with the rest. */
  count(requests: CountRequest[]): Promise<(number | null)[]>;
  writeOnline(rows: { oid: string; partition: number; minute: number; online: number }[]): Promise<void>;
  /** The minutes from `first` on, oldest first. */
  read(oid: string, first: number, count: number): Promise<Minute[]>;
}

export type LoggedEvent = { offset: number; event: TaskEvent };

/** Counts the events of one org from an offset on; those older than a day are left out. */
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

/** A pair that was withdrawn is no task removed. A later attempt is late by design, so the first alone tells a latency. */
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

/** The latency that this share of a minute's deliveries did not exceed; null where there was none. */
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

/** Sensors online in a minute; null where no joiner wrote it. */
export function onlineIn(minute: Minute): number | null {
  const rows = [...minute].filter(([field]) => field.startsWith('o'));
  return rows.length === 0 ? null : rows.reduce((sum, [, online]) => sum + online, 0);
}

/** Adds what the events of a batch count. To be done before the offset of the batch moves: what is read again was counted. */
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
