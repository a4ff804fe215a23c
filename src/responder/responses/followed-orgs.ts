/**
 * For which orgs a partition of `sensor-events` is read, and up to which offset Redis has it for each. Pure.
 *
 * An org is followed in a partition once its stored offset is known. It is not followed any more if Redis refuses a write, or has
 * another offset than this process remembers. It is followed again later, and then the partition moves back to its offset.
 */
import { Positions } from '../../positions.ts';

export class FollowedOrgs {
  readonly positions = new Positions<number>();
  /** By org and partition: the offset that Redis has; null: none. */
  readonly #followed = new Map<string, Map<number, number | null>>();

  /** A new assignment of the partitions: no org is followed in them. */
  assign(starts: ReadonlyMap<number, number>): void {
    this.#followed.clear();
    this.positions.clear();
    for (const [partition, next] of starts) this.positions.start(partition, next);
  }

  /** undefined: the org is not followed in the partition. */
  stored(oid: string, partition: number): number | null | undefined {
    return this.#followed.get(oid)?.get(partition);
  }

  isFollowed(oid: string): boolean {
    return this.positions.keys.every((partition) => this.stored(oid, partition) !== undefined);
  }

  /** The stored offsets of an org as one text, to compare two times. */
  storedText(oid: string): string {
    return this.positions.keys.map((partition) => String(this.stored(oid, partition))).join(' ');
  }

  /** Follows the org from `start` on. True: that is behind the position, so the consumer has to seek. */
  follow(oid: string, partition: number, stored: number | null, start: number): boolean {
    if (this.positions.at(partition) === undefined) return false;
    this.set(oid, partition, stored);
    return this.positions.back(partition, start);
  }

  set(oid: string, partition: number, stored: number | null): void {
    const ofOrg = this.#followed.get(oid) ?? new Map<number, number | null>();
    this.#followed.set(oid, ofOrg.set(partition, stored));
  }

  drop(oid: string, partition: number): void {
    this.#followed.get(oid)?.delete(partition);
  }

  /** Redis has these offsets of the org. It is dropped where this process remembers another one. */
  compare(oid: string, found: ReadonlyMap<number, number>): void {
    for (const [partition, stored] of [...(this.#followed.get(oid) ?? [])])
      if ((found.get(partition) ?? null) !== stored) this.drop(oid, partition);
  }

  /** Orgs whose stored offset is behind the position, those that are furthest behind first. */
  lagging(max: number): { oid: string; partition: number; stored: number | null; next: number }[] {
    const found = [...this.#followed].flatMap(([oid, ofOrg]) =>
      [...ofOrg].flatMap(([partition, stored]) => {
        const next = this.positions.at(partition)?.next ?? 0;
        return (stored ?? 0) < next ? [{ oid, partition, stored, next }] : [];
      }),
    );
    return found.sort((a, b) => (a.stored ?? 0) - (b.stored ?? 0)).slice(0, max);
  }
}
