/**
 * How far a reader of the event stream has come: the next offset of every partition of `task-events`. Each event carries it as
 * its id (event-id.ts); who comes back with the last one goes on there, at any process. Pure.
 */
import type { Positions } from '../ports.ts';

/** More than this is not replayed: the latest of it is, and the reader is told. */
export const REPLAY_MAX = 50_000;

const OFFSET_BYTES = 6;

/** The offsets of all partitions in their order, each as long as any. */
export function packed(positions: Positions): Buffer {
  const bytes = Buffer.alloc(OFFSET_BYTES * (Math.max(-1, ...positions.keys()) + 1));
  for (const [partition, offset] of positions) bytes.writeUIntBE(offset, OFFSET_BYTES * partition, OFFSET_BYTES);
  return bytes;
}

/** A partition that came later is read from its beginning. */
export const unpacked = (bytes: Buffer): Positions =>
  new Map(
    Array.from({ length: Math.floor(bytes.length / OFFSET_BYTES) }, (_, partition) => [
      partition,
      bytes.readUIntBE(OFFSET_BYTES * partition, OFFSET_BYTES),
    ]),
  );

/** Where a replay that is to end at `to` begins; `skipped`: how many records of all orgs are too many, which
 *  no org may hear. */
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
