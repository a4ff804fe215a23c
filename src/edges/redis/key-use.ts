/** How often and when API keys are used. It is in Redis alone: after a loss the counts start at zero. */
import type { KeyUse } from '../../orgs/key-use.ts';
import type { RedisClient } from './client.ts';
import { keys } from './layout.ts';

/** A key that was not used for this long counts as never used. */
const KEEP_MS = 90 * 86_400_000;

export function createKeyUse(redis: RedisClient): KeyUse {
  return {
    count: async (credential, windowMs) => {
      const [reply] = await redis.pipeline([redis.script(credential, 'rate', [keys.rate(credential)], [windowMs])]);
      const [requests, leftMs] = reply as [number, number];
      return { requests: Number(requests), leftMs: Number(leftMs) };
    },
    used: async (oid, name, atMs) => {
      await redis.pipeline([{ oid, name: 'set', args: [keys.used(oid, name), atMs, 'PX', KEEP_MS] }]);
    },
    lastUses: async (oid, names) => {
      const found = await redis.pipeline(names.map((name) => ({ oid, name: 'get', args: [keys.used(oid, name)] })));
      return found.map((text) => (text === null ? null : Number(text)));
    },
  };
}
