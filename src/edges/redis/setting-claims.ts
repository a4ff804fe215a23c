/** Claims on settings; src/orgs/write-setting.ts says what they guarantee. */
import type { SettingClaims } from '../../orgs/write-setting.ts';
import type { RedisClient } from './client.ts';
import { ANSWERS, keys } from './layout.ts';

/** How long an etag is kept. After that a writer reads the log. */
const KEEP_MS = 3_600_000;

export function createSettingClaims(redis: RedisClient): SettingClaims {
  return {
    claim: async (oid, setting, token, leaseMs) => {
      const [reply] = await redis.pipeline([
        redis.script(oid, 'setting-claim', [keys.setting(oid, setting)], [token, leaseMs, KEEP_MS]),
      ]);
      const [word, detail] = reply as [string, string | null];
      return word === ANSWERS.busy ? { busyMs: Number(detail) } : { etag: detail ?? null };
    },
    settle: async (oid, setting, token, etag) => {
      await redis.pipeline([
        redis.script(
          oid,
          'setting-settle',
          [keys.setting(oid, setting)],
          [token, KEEP_MS, ...(etag === null ? [] : [etag])],
        ),
      ]);
    },
  };
}
