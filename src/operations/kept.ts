/**
 * What `verify` reads of Redis beside records, pairs and facts. Reads alone; each may be a moment older than the next.
 *
 * Of the kinds of keys (src/edges/redis/layout.ts) the log determines all but these, which are not compared:
 *   if xq q     claims, announcements and counts under way: they live for seconds, and a loss ends them
 *   s rl u      turns of writers, requests made, when keys were used: of this Redis alone, or for this minute
 *   rc rf of    what rules counted, and what failed last: by the rules, and the world, of that moment
 * Of those that are compared: in `m` epochs, owners and the Redis process are its own; in `o` when a sensor was seen, and the
 * connections before the last one, reach further back than the log; in `sm` sensors online are measured.
 */
import type { Minute } from '../projector/stats.ts';
import type { ResponseStore } from '../responder/responses/responses.ts';

export type KeyName = { oid: string; kind: string; id: string };

/** Where a task stands beside its record. `content`: hash of what its own key holds. null: it is not there. */
export type TaskPlaces = { content: string | null; pendingMs: number | null; endedMs: number | null };
export type Connection = { online: boolean; connectionId: string | null };
export type Positions = ReadonlyMap<number, number>;

export interface Kept {
  /** Keys of these orgs in pages, of all nodes; one may come twice. */
  names(oids: ReadonlySet<string>): AsyncIterable<KeyName[]>;
  places(oid: string, taskIds: readonly string[]): Promise<TaskPlaces[]>;
  /** sid -> connection, of one partition. */
  connections(oid: string, partition: number): Promise<Map<string, Connection>>;
  /** Next offsets up to which events were counted into minutes, and responses collected. */
  positions(oid: string): Promise<{ counted: Positions; collected: Positions }>;
  minutes(oid: string, minutes: readonly number[]): Promise<Minute[]>;
  responses: ResponseStore['read'];
}
