/**
 * The questions that the API asks the projection, each bounded in time: a Redis that hangs costs a caller READ_MS and a 503,
 * never a request that stays open. Also what makes an answer true: it is read from one usable epoch of the org.
 */
import { unavailable } from '../errors.ts';
import type { OrgStatus, Projection } from '../projector/projection.ts';
import { within } from './http/within.ts';

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

/** The same questions; each rejects with `unavailable` when it fails or takes longer than `boundMs`. */
export function boundedReads(projection: Reads, boundMs = READ_MS): Reads {
  const bounded = NAMES.map((name) => {
    const ask = (projection[name] as (...args: unknown[]) => Promise<unknown>).bind(projection);
    return [name, (...args: unknown[]) => within(boundMs, 'Redis', ask(...args))] as const;
  });
  return Object.fromEntries(bounded) as unknown as Reads;
}

/** The org's status, if the projection can answer for it now; else throws `unavailable`. */
export async function usableStatus(reads: Pick<Reads, 'status'>, oid: string): Promise<OrgStatus> {
  const [status] = await reads.status([oid]);
  if (status?.usable) return status;
  throw unavailable("The org's tasks are being read back from the log.");
}

/** Throws `unavailable` if what was read since `epoch` was seen may come from a projection that was lost in between. */
export async function stillUsable(reads: Pick<Reads, 'status'>, oid: string, epoch: string): Promise<void> {
  const status = await usableStatus(reads, oid);
  if (status.epoch !== epoch) throw unavailable("The org's tasks were lost and read back during the request.");
}
