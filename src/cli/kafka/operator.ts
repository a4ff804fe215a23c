/**
 * Shared by operator commands. Access to Kafka is the permission to create orgs and keys. These commands read `org-settings` to
 * its end and write to it like the server. With Redis (REDIS_URL), they claim a setting before they write it, and show when a key
 * was last used. Without Redis, two concurrent writers of one setting can overwrite each other.
 */
import { systemClock } from '../../async/clock.ts';
import type { Config } from '../../config.ts';
import type { RedisClient } from '../../edges/redis/client.ts';
import { isUuid } from '../../model/ids.ts';
import type { KeyUse } from '../../orgs/key-use.ts';
import type { Settings } from '../../orgs/settings.ts';
import type { OrgTable } from '../../orgs/table.ts';
import { createSettings, type SettingClaims } from '../../orgs/write-setting.ts';
import { cliError, usageError } from '../errors.ts';
import type { Io } from '../io.ts';
import { logTo } from './kafka.ts';
import { type Log, withLog } from './log.ts';

export type Operator = {
  orgs: OrgTable;
  settings: Settings;
  keyUse: KeyUse | null;
  log: Pick<Log, 'read' | 'write'>;
  redis: RedisClient | null;
};

/** The author of a setting that an operator writes. */
export const OPERATOR = 'operator';

const NO_CLAIMS: SettingClaims = {
  claim: async () => ({ etag: null }),
  settle: async () => {},
};

/** Connects, reads all settings, runs the command, and disconnects. */
export const withOperator = <T>(io: Io, run: (operator: Operator) => Promise<T>): Promise<T> =>
  withLog(io, async (wholeLog) => {
    const { kafka, codec, config } = wholeLog;
    const topic = wholeLog.names.orgSettings;
    const log = logTo('silent');
    const [{ ensureTopics }, { followOrgs }, { createProducer }] = await Promise.all([
      import('../../edges/kafka/admin.ts'),
      import('../../edges/kafka/orgs.ts'),
      import('../../edges/kafka/producer.ts'),
    ]);
    await ensureTopics(kafka, config, log);
    const stops: (() => Promise<void>)[] = [];
    try {
      await codec.start();
      stops.push(() => codec.stop());
      const orgs = await followOrgs({ kafka, topic, codec, log });
      stops.push(() => orgs.stop());
      const producer = await createProducer(kafka, 'once');
      stops.push(() => producer.stop());
      const redis = await redisOf(io, config);
      if (redis) stops.push(redis.stop);
      const settings = createSettings({
        table: orgs.settings,
        claims: redis?.claims ?? NO_CLAIMS,
        append: (key, setting) =>
          producer.send(topic, [{ key, value: setting && codec.encode('OrgSetting', setting) }]),
        refresh: orgs.refresh,
        clock: systemClock,
      });
      const [keyUse, client] = [redis?.keyUse ?? null, redis?.client ?? null];
      return await run({ orgs: orgs.table, settings, keyUse, log: wholeLog, redis: client });
    } finally {
      for (const stop of stops.reverse()) await stop().catch(() => undefined);
    }
  });

/** null without Redis. The command works without it. */
async function redisOf(io: Io, config: Config) {
  if (!io.env.REDIS_URL && !io.env.REDIS_CLUSTER_NODES) return null;
  const [{ connectRedis }, { createSettingClaims }, { createKeyUse }] = await Promise.all([
    import('../../edges/redis/client.ts'),
    import('../../edges/redis/setting-claims.ts'),
    import('../../edges/redis/key-use.ts'),
  ]);
  try {
    const redis = await connectRedis(config, logTo('silent'));
    const [claims, keyUse] = [createSettingClaims(redis), createKeyUse(redis)];
    return { client: redis, claims, keyUse, stop: () => redis.stop() };
  } catch {
    io.err('Redis does not answer. Continuing without it.\n');
    return null;
  }
}

/** Reads an oid from the arguments. Throws a usage error. */
export function checkOid(text: string): string {
  if (!isUuid(text)) throw usageError(`The org id must be a UUID, not '${text}'.`);
  return text.toLowerCase();
}

/** Throws, with exit code 3, if the org does not exist. */
export function requireKnown({ orgs }: Operator, oid: string): void {
  if (orgs.known(oid)) return;
  throw cliError('org_unknown', `Org ${oid} does not exist.`, 'See {rt} orgs list.');
}
