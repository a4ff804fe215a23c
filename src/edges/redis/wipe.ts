/** Deletes everything that Redis holds of some orgs, like a loss of data. The projector rebuilds it from Kafka. */
import type { RedisClient } from './client.ts';
import { keys } from './layout.ts';

const TAG = /^\{([^}]+)\}:(\w+)/;

/**
 * The markers are deleted first: from then on every script refuses. A projector may begin again before the last key is deleted, and
 * some of what it has written by then is deleted, too. So the markers are deleted once more at the end, and it begins again. Claims of
 * settings (`s`) are not part of the projection and stay. Returns the number of keys beside the markers.
 */
export async function wipeOrgs(redis: RedisClient, oids: readonly string[]): Promise<number> {
  let wiped = 0;
  const ours = new Set(oids);
  const unlink = (names: string[]) =>
    redis.pipeline(names.map((name) => ({ oid: TAG.exec(name)?.[1] as string, name: 'unlink', args: [name] })));
  await unlink(oids.map(keys.marker));
  for await (const page of redis.keys('{*}:*')) {
    const found = page.filter((name) => {
      const [, oid, kind] = TAG.exec(name) ?? [];
      return oid !== undefined && ours.has(oid) && kind !== 's';
    });
    wiped += found.length;
    await unlink(found);
  }
  await unlink(oids.map(keys.marker));
  return wiped;
}
