/** Claims on the names of settings; see src/orgs/write-setting.ts for what they promise. */
import type { SettingClaims } from '../../orgs/write-setting.ts';
import type { RedisClient } from './client.ts';
import { keys } from './layout.ts';

/** How long an etag is remembered; after that a writer reads the log. */
const KEEP_MS = 3_600_000;

export function createSettingClaims(redis: RedisClient): SettingClaims {
  return {
    claim: async (oid, place, token, leaseMs) => {
      const [reply] = await redis.pipeline([
        redis.script(oid, 'setting-claim', [keys.setting(oid, place)], [token, leaseMs, KEEP_MS]),
      ]);
      const [word, detail] = reply as [string, string | null];
      return word === 'BUSY' ? { busyMs: Number(detail) } : { etag: detail ?? null };
    },
    settle: async (oid, place, token, etag) => {
      await redis.pipeline([
        redis.script(
          oid,
          'setting-settle',
          [keys.setting(oid, place)],
          [token, KEEP_MS, ...(etag === null ? [] : [etag])],
        ),
      ]);
    },
  };
}
