/** The projection in memory for the contract tests. Its clock stands still unless a test waits for a time. */
import { type Bench, decodeCommand, PATIENT } from '../../support/projection-bench.ts';
import { memoryProjection } from './projection.ts';
import { MemoryRedis } from './state.ts';

export async function openMemoryBench(): Promise<Bench> {
  let nowMs = 1_700_000_000_000;
  const redis = new MemoryRedis(() => nowMs);
  const listeners = new Set<(oid: string) => void>();
  return {
    projection: async (wanted) =>
      memoryProjection({
        redis,
        settings: { ...PATIENT, ...wanted },
        decodeCommand,
        pipeline: async (commands) => commands.map((run) => run()),
        tryAll: async (commands) => commands.map((run) => run()),
        publish: (oid) => {
          for (const listener of listeners) listener(oid);
        },
        listen: (listener) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      }),
    nowMs: async () => nowMs,
    reach: async (atMs) => {
      nowMs = Math.max(nowMs, atMs + 1);
    },
    lose: async (oid) => redis.lose(oid),
    replace: async (oid) => {
      const { marker } = redis.org(oid);
      if (marker === null) return;
      marker.begunBy = 'another';
      if (marker.attestedFor !== null) marker.attestedFor = 'another';
    },
    left: async (oid) => {
      const { tasks, rows, pending, ended, announcing, inFlight, facts, presence, counts } = redis.org(oid);
      for (const [id, at] of tasks) if (at <= nowMs) tasks.delete(id);
      for (const id of [...rows.keys()]) redis.row(redis.org(oid), id);
      const kinds = { tasks, rows, pending, ended, announcing, inFlight, facts, presence, counts };
      return Object.entries(kinds).flatMap(([name, map]) => (map.size > 0 ? [name] : []));
    },
    endAnnouncing: async (oid) => {
      const { announcing } = redis.org(oid);
      for (const id of announcing.keys()) announcing.set(id, 0);
    },
    stop: async () => undefined,
  };
}
