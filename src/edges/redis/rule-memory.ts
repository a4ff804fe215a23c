/** Suppression counts and the last fault of each rule; src/rules/memory.ts says what they guarantee. */
import { hashOf } from '../../model/ids.ts';
import type { Count, RuleMemory } from '../../rules/memory.ts';
import type { RedisClient } from './client.ts';
import { keys } from './layout.ts';

/** Maximum number of event ids in one count, by which repeats are detected. */
const IDS_MAX = 1_000;
const FAULTS_KEPT_MS = 7 * 86_400_000;

export function createRuleMemory(redis: RedisClient): RuleMemory {
  const count = ({ oid, key, id, by, periodMs, maxCount }: Count) =>
    redis.script(
      oid,
      'rule-count',
      [keys.ruleCount(oid, hashOf(key))],
      [hashOf(id), by, Math.ceil(periodMs), Number.isFinite(maxCount) ? maxCount : -1, IDS_MAX],
    );
  return {
    count: async (counts) => (await redis.pipeline(counts.map(count))).map(Number),
    noteFaults: async (faults) => {
      await redis.pipeline(
        faults.flatMap(({ oid, rule, sentence, atMs }) => [
          { oid, name: 'hset', args: [keys.ruleFaults(oid), rule, JSON.stringify({ sentence, atMs })] },
          { oid, name: 'pexpire', args: [keys.ruleFaults(oid), FAULTS_KEPT_MS] },
        ]),
      );
    },
    faults: async (oid) => {
      const [flat] = await redis.pipeline([{ oid, name: 'hgetall', args: [keys.ruleFaults(oid)] }]);
      const entries = Object.entries(flat as Record<string, string>);
      return new Map(entries.map(([rule, text]) => [rule, JSON.parse(text) as { sentence: string; atMs: number }]));
    },
  };
}
