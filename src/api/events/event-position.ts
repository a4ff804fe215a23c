/**
 * The positions of a reader of the event stream: the next offset of every partition of `task-events`. The id of each event holds them
 * (event-id.ts). A client that reconnects with its last id continues there, at any process. Pure.
 */
import type { Positions } from '../ports.ts';

/** At most so many records are replayed: the newest ones. The client is told that events were left out. */
export const REPLAY_MAX = 50_000;

const OFFSET_BYTES = 6;

/** The offsets of all partitions in their order, each as long as any. */
export function packed(positions: Positions): Buffer {
  const bytes = Buffer.alloc(OFFSET_BYTES * (Math.max(-1, ...positions.keys()) + 1));
  for (const [partition, offset] of positions) bytes.writeUIntBE(offset, OFFSET_BYTES * partition, OFFSET_BYTES);
  return bytes;
}

/** A partition that was added later is read from its start. */
export const unpacked = (bytes: Buffer): Positions =>
  new Map(
    Array.from({ length: Math.floor(bytes.length / OFFSET_BYTES) }, (_, partition) => [
      partition,
      bytes.readUIntBE(OFFSET_BYTES * partition, OFFSET_BYTES),
    ]),
  );

/** Where a replay that ends at `to` starts. `skipped`: the number of records of all orgs above the limit; never shown to an org. */
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
