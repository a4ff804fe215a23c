/**
 * How far a reader of the event stream has come, as the id of each event: the next offset of every partition of
 * `task-events`, in their order, with commas between them. Who comes back with the last one goes on there, at any process.
 * Pure.
 */
import { ApiError } from '../errors.ts';
import type { Positions } from './ports.ts';

/** More than this is not replayed: the latest of it is, and the reader is told. */
export const REPLAY_MAX = 50_000;

export const idOf = (positions: Positions): string => {
  const last = Math.max(-1, ...positions.keys());
  return Array.from({ length: last + 1 }, (_, partition) => positions.get(partition) ?? 0).join(',');
};

/** The positions of an id; null where none is given. A partition that came later is read from its beginning. Throws
 *  `bad_request` for what is none of ours. */
export function positionsOf(id: string | undefined): Positions | null {
  if (id === undefined || id === '') return null;
  if (!/^\d{1,15}(,\d{1,15}){0,4095}$/.test(id))
    throw new ApiError('bad_request', 'Last-Event-ID must be the id of an event of this stream, or be left out.');
  return new Map(id.split(',').map((offset, partition) => [partition, Number(offset)]));
}

/** Where a replay that is to end at `to` begins; `skipped`: how many records of all orgs are too many. */
export function replayFrom(asked: Positions, to: Positions, most = REPLAY_MAX): { from: Positions; skipped: number } {
  const behind = [...to].map(([partition, end]) => ({
    partition,
    end,
    count: Math.max(0, end - (asked.get(partition) ?? 0)),
  }));
  const total = behind.reduce((sum, { count }) => sum + count, 0);
  const share = Math.min(1, most / Math.max(total, 1));
  const from = new Map(behind.map(({ partition, end, count }) => [partition, end - Math.floor(count * share)]));
  const kept = behind.reduce((sum, { count }) => sum + Math.floor(count * share), 0);
  return { from, skipped: total - kept };
}
