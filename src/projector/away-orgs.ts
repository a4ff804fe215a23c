/**
 * Orgs whose shard of Redis is away while others answer: their commands are passed over, so that the partition goes on for
 * the others, and are read again from where the org stands when it is back. What they come to is told then, so the
 * group's offset stays before them. Pure.
 */
import type { InRecord } from '../ports.ts';
import type { OrgStatus } from './projection.ts';

/** Looks in a row that an org has not answered. */
const AWAY_AFTER = 3;

type Gap = { oid: string; partition: number; from: number; to: number };

export class Missed {
  readonly #silent = new Map<string, number>();
  readonly #gaps = new Map<string, Gap>();

  /** Takes in what a look has answered; names the orgs that are away by now. `atOnce`: without waiting for further looks. */
  look(oids: readonly string[], statuses: readonly (OrgStatus | null)[], atOnce = false): string[] {
    for (const oid of this.#silent.keys()) if (!oids.includes(oid)) this.#silent.delete(oid);
    for (const [i, oid] of oids.entries()) {
      if (statuses[i]) this.#silent.delete(oid);
      else this.#silent.set(oid, atOnce ? AWAY_AFTER : (this.#silent.get(oid) ?? 0) + 1);
    }
    return oids.filter((oid) => this.isAway(oid));
  }

  isAway(oid: string): boolean {
    return (this.#silent.get(oid) ?? 0) >= AWAY_AFTER;
  }

  get away(): number {
    return [...this.#silent.keys()].filter((oid) => this.isAway(oid)).length;
  }

  /** True for a command of an org that is away; it is remembered that it has to be read again. */
  passOver(oid: string, { partition, offset }: InRecord, nextOffset: number): boolean {
    if (!this.isAway(oid)) return false;
    const key = `${partition} ${oid}`;
    const gap = this.#gaps.get(key) ?? { oid, partition, from: offset, to: nextOffset };
    this.#gaps.set(key, { ...gap, from: Math.min(gap.from, offset), to: Math.max(gap.to, nextOffset) });
    return true;
  }

  /** The first command of an org whose effects are still to be told. */
  from(oid: string, partition: number): number {
    return this.#gaps.get(`${partition} ${oid}`)?.from ?? Number.POSITIVE_INFINITY;
  }

  /** The same, of all orgs. */
  fromOf(partition: number): number {
    const gaps = [...this.#gaps.values()].filter((gap) => gap.partition === partition);
    return Math.min(Number.POSITIVE_INFINITY, ...gaps.map(({ from }) => from));
  }

  /** The partition was read up to here: again for an org that is back, and for which it has gone back. */
  caughtUp(partition: number, nextOffset: number, isBack: (oid: string) => boolean): void {
    for (const [key, gap] of this.#gaps)
      if (gap.partition === partition && gap.to <= nextOffset && isBack(gap.oid)) this.#gaps.delete(key);
  }
}
