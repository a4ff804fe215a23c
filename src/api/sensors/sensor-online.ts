/** Which sensors are online: given ones, or all, a page of the projection at a time. */
import { pagesOf } from '../../async/pages.ts';
import { isName } from '../../model/ids.ts';
import type { ApiContext } from '../actions/action.ts';
import { stillUsable } from '../reads.ts';

type Source = Pick<ApiContext, 'reads' | 'presencePartitions' | 'presencePartitionOf'>;

/** For these sids; an unknown sensor is not online. */
export async function onlineOf(source: Source, oid: string, sids: readonly string[]): Promise<Record<string, boolean>> {
  const byPartition = Map.groupBy(sids.filter(isName), (sid) => source.presencePartitionOf(sid));
  const online = new Set<string>();
  await Promise.all(
    [...byPartition].map(async ([partition, some]) => {
      const rows = await source.reads.readPresence(oid, partition, some);
      for (const [i, row] of rows.entries()) if (row?.online) online.add(some[i] as string);
    }),
  );
  return Object.fromEntries(sids.map((sid) => [sid, online.has(sid)]));
}

/** For all sensors of the org, each once. Throws if the projection is lost meanwhile. */
export async function* presenceOfAll(
  source: Source,
  oid: string,
  epoch: string,
): AsyncGenerator<(readonly [string, boolean])[]> {
  for (let partition = 0; partition < source.presencePartitions(); partition += 1) {
    const seen = new Set<string>();
    for await (const page of pagesOf((cursor) => source.reads.scanSensors(oid, partition, cursor))) {
      const fresh = page.sensors.filter(({ sid }) => !seen.has(sid) && seen.add(sid));
      await stillUsable(source.reads, oid, epoch);
      yield fresh.map(({ sid, presence }) => [sid, presence?.online === true] as const);
    }
  }
}
