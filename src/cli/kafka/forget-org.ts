/** What an org leaves behind beside its settings: the states of its sensors on their topic, and all that Redis has of it. An
 *  org that is made again with the same id begins without them. */
import type { OutRecord } from '../../edges/kafka/producer.ts';
import type { RedisClient } from '../../edges/redis/client.ts';
import type { Log } from './log.ts';

/** Writes a tombstone where a state of a sensor of the org stands; answers how many sensors there were. */
export async function forgetSensors({ read, write }: Pick<Log, 'read' | 'write'>, oid: string): Promise<number> {
  const standing = new Map<string, OutRecord>();
  await read('sensorState', 'beginning', (records) => {
    for (const { key, value, partition } of records) {
      if (key === null || !key.toString().startsWith(`${oid}/`)) continue;
      // The partition is that of the sensor, not of the key.
      if (value === null) standing.delete(`${partition} ${key}`);
      else standing.set(`${partition} ${key}`, { key, value: null, partition });
    }
  });
  await write('sensorState', [...standing.values()]);
  return standing.size;
}

/** Answers how many keys there were. */
export async function forgetInRedis(redis: RedisClient, oid: string): Promise<number> {
  const { wipeOrgs } = await import('../../edges/redis/wipe.ts');
  return wipeOrgs(redis, [oid]);
}
