/** The projection in Redis: scripts and reads behind the one interface that the roles know. */
import type { Config } from '../../../config.ts';
import type { TaskCommand } from '../../../model/records.ts';
import type { Projection } from '../../../projector/projection.ts';
import type { RedisClient } from '../client.ts';
import { HINT_CHANNEL } from '../layout.ts';
import { joinerPart } from './joiner.ts';
import { projectorPart } from './projector.ts';
import { readsPart } from './reads.ts';

/** `decodeCommand` reads the bytes that the projector has stored. */
export async function createProjection(
  redis: RedisClient,
  config: Config,
  decodeCommand: (bytes: Buffer) => TaskCommand,
): Promise<Projection> {
  const listeners = new Set<(oid: string) => void>();
  await redis.subscribe(HINT_CHANNEL, (oid) => {
    for (const listener of listeners) listener(oid);
  });
  return {
    ...projectorPart(redis, { retentionMs: config.ENDED_RETENTION_SECONDS * 1000 }),
    ...joinerPart(redis, {
      leaseMs: config.CLAIM_LEASE_MS,
      marginMs: config.EXPIRY_MARGIN_MS,
      firstBackoffMs: config.REDELIVERY_FIRST_MS,
      maxBackoffMs: config.REDELIVERY_MAX_MS,
    }),
    ...readsPart(redis, decodeCommand),
    hint: (oids) => void redis.publish(HINT_CHANNEL, oids).catch(() => undefined),
    onHint: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ping: () => redis.ping(),
    stop: () => redis.stop(),
  };
}
