/**
 * What `verify` reads from Redis beside records, deliveries and facts. The reads are not one snapshot.
 *
 * The log determines all kinds of keys (src/edges/redis/layout.ts) except these, which are not compared:
 *   if xq q     claims, announcements and counts in flight: they live for seconds
 *   s rl u      claims of settings, request counts, key use: of this Redis, or of this minute
 *   rc rf of    suppression counts, last faults of rules and outputs: they depend on the moment
 * Exceptions in the compared keys: in `m`, epochs, owners and the Redis process; in `o`, when a sensor was seen and earlier
 * connections, which are older than the log; in `sm`, the measured number of online sensors.
 */
import type { Minute } from '../projector/stats.ts';
import type { ResponseStore } from '../responder/responses/responses.ts';

export type KeyName = { oid: string; kind: string; id: string };

/** The index entries of a task. `content`: the hash in its own key. null: absent. */
export type TaskPlaces = { content: string | null; pendingMs: number | null; endedMs: number | null };
export type Connection = { online: boolean; connectionId: string | null };
export type Positions = ReadonlyMap<number, number>;

export interface Kept {
  /** Pages of the keys of these orgs on all nodes. A key can occur twice. */
  names(oids: ReadonlySet<string>): AsyncIterable<KeyName[]>;
  places(oid: string, taskIds: readonly string[]): Promise<TaskPlaces[]>;
  /** sid to connection, of one partition. */
  connections(oid: string, partition: number): Promise<Map<string, Connection>>;
  /** Positions up to which events were counted into minutes, and responses were collected. */
  positions(oid: string): Promise<{ counted: Positions; collected: Positions }>;
  minutes(oid: string, minutes: readonly number[]): Promise<Minute[]>;
  responses: ResponseStore['read'];
}
