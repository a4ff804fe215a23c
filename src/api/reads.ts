/**
 * Calls of the API to Redis and Kafka, each limited in time: if Redis hangs, a caller gets a 503 after READ_MS, and no request stays
 * open. An answer is consistent because it is read from one usable epoch of the org.
 */
import { withinMs } from '../async/within-ms.ts';
import { ApiError, unavailable } from '../errors.ts';
import type { OrgStatus, Projection } from '../projector/projection.ts';

const NAMES = [
  'status',
  'inFlight',
  'pendingIds',
  'endedIds',
  'readTasks',
  'readDeliveries',
  'readCounts',
  'scanSensors',
  'scanFacts',
  'readPresence',
  'readSensors',
  'readDelivery',
  'countDeliveries',
] as const satisfies (keyof Projection)[];

export type Reads = Pick<Projection, (typeof NAMES)[number]>;

export const READ_MS = 3_000;

/** The result of `call`. Rejects with `unavailable` if it fails or takes longer than `limitMs`; an ApiError passes unchanged. */
export async function within<T>(limitMs: number, service: 'Kafka' | 'Redis', call: Promise<T>): Promise<T> {
  try {
    return await withinMs(limitMs, call);
  } catch (error) {
    throw error instanceof ApiError ? error : unavailable(`${service} did not answer.`, error);
  }
}

/** The same reads with a time limit. */
export function boundedReads(projection: Reads, limitMs = READ_MS): Reads {
  const bounded = NAMES.map((name) => {
    const read = (projection[name] as (...args: unknown[]) => Promise<unknown>).bind(projection);
    return [name, (...args: unknown[]) => within(limitMs, 'Redis', read(...args))] as const;
  });
  return Object.fromEntries(bounded) as unknown as Reads;
}

/** The status of the org. Throws `unavailable` if its projection is not usable now. */
export async function usableStatus(reads: Pick<Reads, 'status'>, oid: string): Promise<OrgStatus> {
  const [status] = await reads.status([oid]);
  if (status?.usable) return status;
  throw unavailable("The org's tasks are being restored from the log.");
}

/** Throws `unavailable` if the projection was lost after `epoch` was read: what was read since then may be incomplete. */
export async function stillUsable(reads: Pick<Reads, 'status'>, oid: string, epoch: string): Promise<void> {
  const status = await usableStatus(reads, oid);
  if (status.epoch !== epoch) throw unavailable("The org's tasks were lost and restored during the request.");
}
