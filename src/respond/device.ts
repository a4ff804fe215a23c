/** All sensors of one device, by their `did`. Looks at every sensor of the org: for actions that are rare. */
import type { Ports } from './perform.ts';

const SENSORS_MAX = 1_000;

export async function sensorsOfDevice(ports: Ports, oid: string, did: string): Promise<string[]> {
  const found = new Set<string>();
  for (let partition = 0; partition < ports.presencePartitions; partition += 1) {
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<Ports['projection']['scanFacts']>> = await ports.projection.scanFacts(
        oid,
        partition,
        cursor,
      );
      for (const { sid, facts } of page.sensors)
        if (found.size < SENSORS_MAX && ports.store.decode('SensorState', facts).sensor?.did === did) found.add(sid);
      cursor = page.next;
    } while (cursor !== null);
  }
  return [...found];
}
