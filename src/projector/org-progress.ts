/**
 * How far the projection of each org is: what the markers say, and which partitions can be attested. Pure.
 *
 * A partition is read from the smallest offset that an org needs. A lost or new org moves it back, and the scripts pass over the
 * records that the other orgs already have.
 */
import type { Positions } from '../positions.ts';
import type { TopicKey } from '../topics.ts';
import type { OrgStatus } from './projection.ts';

/** c: commands, t: task events, as in the marker. */
export type Kind = 'c' | 't';
export const KINDS: readonly Kind[] = ['c', 't'];
export const TOPIC_OF: Record<Kind, TopicKey> = { c: 'commands', t: 'taskEvents' };

export type PartitionKey = `${Kind}${number}`;
export const partitionKey = (kind: Kind, partition: number): PartitionKey => `${kind}${partition}`;
const partsOf = (key: PartitionKey): [Kind, number] => [key[0] as Kind, Number(key.slice(1))];

export type LoggedEnds = Record<Kind, Map<number, number>>;

export type Progress = {
  epoch: string;
  usable: boolean;
  begunAtMs: number;
  nowMs: number;
  /** End offsets that have to be reached. They are read two leases after the begin. */
  ends: LoggedEnds | null;
  attested: Set<PartitionKey>;
  /** Next offsets that were written to Redis without a record of the org before them. */
  advanced: Map<PartitionKey, number>;
};

export class OrgProgress {
  readonly #positions: Positions<PartitionKey>;
  readonly #orgs = new Map<string, Progress>();

  constructor(positions: Positions<PartitionKey>) {
    this.#positions = positions;
  }

  get(oid: string): Progress | undefined {
    return this.#orgs.get(oid);
  }

  all(): Iterable<[string, Progress]> {
    return this.#orgs;
  }

  forget(oid: string): void {
    this.#orgs.delete(oid);
  }

  /** For a new assignment of the partitions. */
  forgetAttested(): void {
    for (const org of this.#orgs.values()) org.attested.clear();
  }

  /** Takes what the marker says. True: the epoch is new to this process. */
  learn(oid: string, status: OrgStatus): boolean {
    const { epoch, usable, begunAtMs, nowMs } = status;
    const known = this.#orgs.get(oid);
    if (known && known.epoch === epoch) {
      known.usable = usable;
      known.nowMs = nowMs;
      return false;
    }
    this.#orgs.set(oid, { epoch, usable, begunAtMs, nowMs, ends: null, attested: new Set(), advanced: new Map() });
    return true;
  }

  /** True when the events of all claims and acknowledgements of the lost Redis are on the log: the ends can be read. */
  endsAreDue(oid: string, leaseMs: number): boolean {
    const org = this.#orgs.get(oid);
    return org !== undefined && !org.usable && org.ends === null && org.nowMs >= org.begunAtMs + 2 * leaseMs;
  }

  setEnds(oid: string, epoch: string, ends: LoggedEnds): void {
    const org = this.#orgs.get(oid);
    if (org && org.epoch === epoch) org.ends = ends;
  }

  /** The records that this process still has to read until every org is usable. null: the ends are not known yet. */
  left(): number | null {
    const rebuilt = [...this.#orgs.values()].filter(({ usable }) => !usable);
    let left = 0;
    for (const key of this.#positions.keys) {
      const [kind, partition] = partsOf(key);
      let end = 0;
      for (const { ends } of rebuilt) {
        if (ends === null) return null;
        end = Math.max(end, ends[kind].get(partition) ?? 0);
      }
      left += Math.max(end - (this.#positions.at(key)?.next ?? 0), 0);
    }
    return left;
  }

  /** Partitions that have reached the ends of an org that is not usable yet. */
  attestable(oid: string): { kind: Kind; partition: number; nextOffset: number }[] {
    const org = this.#orgs.get(oid);
    if (!org?.ends || org.usable) return [];
    const { ends, attested } = org;
    return this.#positions.keys.flatMap((key) => {
      const [kind, partition] = partsOf(key);
      const nextOffset = this.#positions.at(key)?.next ?? 0;
      const isAtEnd = nextOffset >= (ends[kind].get(partition) ?? 0);
      return isAtEnd && !attested.has(key) ? [{ kind, partition, nextOffset }] : [];
    });
  }
}
