/** Deletes the data of an org beside its settings: its records on `sensor-state`, and its data in Redis. A new org with the
 *  same id starts without them. */
import type { OutRecord } from '../../edges/kafka/producer.ts';
import type { RedisClient } from '../../edges/redis/client.ts';
import type { Log } from './log.ts';

/** Writes a tombstone for each sensor state of the org. Returns the number of sensors. */
export async function forgetSensors({ read, write }: Pick<Log, 'read' | 'write'>, oid: string): Promise<number> {
  const standing = new Map<string, OutRecord>();
  await read('sensorState', 'beginning', (records) => {
    for (const { key, value, partition } of records) {
      if (key === null || !key.toString().startsWith(`${oid}/`)) continue;
      // The sensor decides the partition, not the key.
      if (value === null) standing.delete(`${partition} ${key}`);
      else standing.set(`${partition} ${key}`, { key, value: null, partition });
    }
  });
  await write('sensorState', [...standing.values()]);
  return standing.size;
}

/** Returns the number of keys. */
export async function forgetInRedis(redis: RedisClient, oid: string): Promise<number> {
  const { wipeOrgs } = await import('../../edges/redis/wipe.ts');
  return wipeOrgs(redis, [oid]);
}
