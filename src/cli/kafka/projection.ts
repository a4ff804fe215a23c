/** Opens the projection and the orgs for commands that read Redis and Kafka. Creates and changes nothing. */
import { readConfig } from '../../config.ts';
import type { RedisClient } from '../../edges/redis/client.ts';
import type { SensorState } from '../../model/records.ts';
import type { Kept } from '../../operations/kept.ts';
import type { Orgs } from '../../ports.ts';
import type { Projection } from '../../projector/projection.ts';
import type { Io } from '../io.ts';
import { logTo } from './kafka.ts';
import { type Log, withLog } from './log.ts';

export type Installation = Log & {
  projection: Projection;
  orgs: Orgs;
  /** Decodes a sensor from the bytes in the projection. */
  stored(bytes: Buffer): SensorState;
  redis: RedisClient;
  kept: Kept;
};

export async function withInstallation<T>(io: Io, work: (installation: Installation) => Promise<T>): Promise<T> {
  readConfig(io.env); // reports missing settings before anything is opened
  const [{ connectRedis }, { createProjection }, { createKept }, { followOrgs }, { createCodec }] = await Promise.all([
    import('../../edges/redis/client.ts'),
    import('../../edges/redis/projection/projection.ts'),
    import('../../edges/redis/kept.ts'),
    import('../../edges/kafka/orgs.ts'),
    import('../../edges/avro/codec.ts'),
  ]);
  return withLog(io, async (log) => {
    const quiet = logTo('silent');
    const stored = createCodec({ topicOf: log.topicOf });
    const redis = await connectRedis(log.config, quiet);
    try {
      const orgs = await followOrgs({ kafka: log.kafka, topic: log.names.orgSettings, codec: log.codec, log: quiet });
      try {
        return await work({
          ...log,
          projection: await createProjection(redis, log.config, (bytes) => stored.decode('TaskCommand', bytes)),
          orgs,
          stored: (bytes) => stored.decode('SensorState', bytes),
          redis,
          kept: createKept(redis, (bytes) => stored.decode('TaskCommand', bytes)),
        });
      } finally {
        await orgs.stop();
      }
    } finally {
      await redis.stop();
    }
  });
}
