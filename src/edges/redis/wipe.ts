/** Takes away all that Redis has of some orgs, as a loss does; the projector brings it back from Kafka. */
import type { RedisClient } from './client.ts';
import { keys } from './layout.ts';

const TAG = /^\{([^}]+)\}:(\w+)/;

/**
 * The markers go first: from then on everything is refused, to everybody. A projector may begin anew before the last key is
 * gone, and what it has read by then goes too: so the markers go once more at the end, and it begins again. Claims of settings
 * (`s`) are no part of the projection and stay. Answers how many keys there were beside the markers.
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
