/**
 * All sensors of one device, by their `did`, for actions on an entire device. This takes a scan of all sensors of the org. The result
 * is kept for a short time, so that a rule that often tags devices costs one scan in that time.
 */
import { pagesOf } from '../async/pages.ts';
import type { RolePorts } from '../ports.ts';

export type DevicePorts = Pick<RolePorts, 'projection' | 'recordCodec' | 'clock'> & { presencePartitions: number };
type Index = Map<string, string[]>;

const SENSORS_MAX = 1_000;
const KEPT_MS = 10_000;
const ORGS_KEPT = 4;

export class Devices {
  readonly #ports: DevicePorts;
  readonly #read: (facts: Buffer) => string;
  readonly #kept = new Map<string, { untilMs: number; index: Index }>();

  constructor(ports: DevicePorts) {
    this.#ports = ports;
    const read = ports.recordCodec.decoder('SensorState', ['sensor'], { sensor: ['did'] });
    this.#read = (facts) => read(facts).sensor?.did ?? '';
  }

  async sensorsOf(oid: string, did: string): Promise<readonly string[]> {
    const nowMs = this.#ports.clock.monoMs();
    const kept = this.#kept.get(oid);
    if (kept !== undefined && nowMs < kept.untilMs) return kept.index.get(did) ?? [];
    const index = await this.#scan(oid);
    this.#kept.delete(oid);
    this.#kept.set(oid, { untilMs: this.#ports.clock.monoMs() + KEPT_MS, index });
    for (const oldest of this.#kept.keys()) if (this.#kept.size > ORGS_KEPT) this.#kept.delete(oldest);
    return index.get(did) ?? [];
  }

  async #scan(oid: string): Promise<Index> {
    const { projection, presencePartitions } = this.#ports;
    const index: Index = new Map();
    for (let partition = 0; partition < presencePartitions; partition += 1) {
      for await (const page of pagesOf((cursor) => projection.scanFacts(oid, partition, cursor)))
        for (const { sid, facts } of page.sensors) {
          const did = this.#read(facts);
          if (did === '') continue;
          const sids = index.get(did) ?? [];
          index.set(did, sids);
          // A scan can return a sensor twice.
          if (sids.length < SENSORS_MAX && !sids.includes(sid)) sids.push(sid);
        }
    }
    return index;
  }
}
