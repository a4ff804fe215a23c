/**
 * Orgs whose shard of Redis is away while other shards answer. Their commands are passed over, so that the partition goes on for
 * the other orgs. When an org is back, its partition is read again from the first command that was passed over. Only then are
 * the effects of these commands written, so the group's offset stays before them. Pure.
 */
import type { InRecord } from '../ports.ts';
import type { OrgStatus } from './projection.ts';

/** Polls in a row without an answer for the org. */
const AWAY_AFTER = 3;

/** The commands that were passed over are between these offsets. */
type Gap = { oid: string; partition: number; from: number; to: number };

export class AwayOrgs {
  readonly #silentPolls = new Map<string, number>();
  readonly #gaps = new Map<string, Gap>();

  /** Takes the answers of a poll, and returns the orgs that are away. `atOnce`: one poll without an answer is enough. */
  look(oids: readonly string[], statuses: readonly (OrgStatus | null)[], atOnce = false): string[] {
    for (const oid of this.#silentPolls.keys()) if (!oids.includes(oid)) this.#silentPolls.delete(oid);
    for (const [i, oid] of oids.entries()) {
      if (statuses[i]) this.#silentPolls.delete(oid);
      else this.#silentPolls.set(oid, atOnce ? AWAY_AFTER : (this.#silentPolls.get(oid) ?? 0) + 1);
    }
    return oids.filter((oid) => this.isAway(oid));
  }

  isAway(oid: string): boolean {
    return (this.#silentPolls.get(oid) ?? 0) >= AWAY_AFTER;
  }

  get count(): number {
    return [...this.#silentPolls.keys()].filter((oid) => this.isAway(oid)).length;
  }

  /** True for a command of an org that is away. The command is read again when the org is back. */
  passOver(oid: string, { partition, offset }: InRecord, nextOffset: number): boolean {
    if (!this.isAway(oid)) return false;
    const key = `${partition} ${oid}`;
    const gap = this.#gaps.get(key) ?? { oid, partition, from: offset, to: nextOffset };
    this.#gaps.set(key, { ...gap, from: Math.min(gap.from, offset), to: Math.max(gap.to, nextOffset) });
    return true;
  }

  /** The offset of the first command of the org that was passed over; infinity without one. */
  from(oid: string, partition: number): number {
    return this.#gaps.get(`${partition} ${oid}`)?.from ?? Number.POSITIVE_INFINITY;
  }

  /** The same, of all orgs. */
  fromOfAll(partition: number): number {
    const gaps = [...this.#gaps.values()].filter((gap) => gap.partition === partition);
    return Math.min(Number.POSITIVE_INFINITY, ...gaps.map(({ from }) => from));
  }

  /** The partition was read to `nextOffset`. For an org that is back, that was after the partition moved back for it. */
  caughtUp(partition: number, nextOffset: number, isBack: (oid: string) => boolean): void {
    for (const [key, gap] of this.#gaps)
      if (gap.partition === partition && gap.to <= nextOffset && isBack(gap.oid)) this.#gaps.delete(key);
  }
}
