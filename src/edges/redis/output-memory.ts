/** Failures of outputs; see src/responder/outputs/memory.ts. A hash of the org has two fields an output: the last one, and the count. */
import type { OutputMemory } from '../../responder/outputs/memory.ts';
import type { RedisClient } from './client.ts';
import { keys } from './layout.ts';

const KEPT_MS = 7 * 86_400_000;

const last = (output: string): string => `f/${output}`;
const count = (output: string): string => `n/${output}`;

export function createOutputMemory(redis: RedisClient): OutputMemory {
  return {
    noteFailures: async (failures) => {
      await redis.pipeline(
        failures.flatMap(({ oid, output, reason, atMs, undelivered }) => {
          const key = keys.outputFailures(oid);
          return [
            { oid, name: 'hset', args: [key, last(output), JSON.stringify({ reason, atMs })] },
            { oid, name: 'hincrby', args: [key, count(output), undelivered] },
            { oid, name: 'pexpire', args: [key, KEPT_MS] },
          ];
        }),
      );
    },
    failures: async (oid) => {
      const [flat] = await redis.pipeline([{ oid, name: 'hgetall', args: [keys.outputFailures(oid)] }]);
      const fields = flat as Record<string, string>;
      const named = Object.entries(fields).filter(([field]) => field.startsWith(last('')));
      return new Map(
        named.map(([field, text]) => {
          const output = field.slice(last('').length);
          const { reason, atMs } = JSON.parse(text) as { reason: string; atMs: number };
          return [output, { reason, atMs, undelivered: Number(fields[count(output)] ?? 0) }];
        }),
      );
    },
    forget: async (oid, output) => {
      await redis.pipeline([{ oid, name: 'hdel', args: [keys.outputFailures(oid), last(output), count(output)] }]);
    },
  };
}
