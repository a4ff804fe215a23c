/**
 * How far each partition of `sensor-events` is read for the responses, and what Redis has of it for each org. Pure.
 *
 * An org is followed in a partition from the moment in which it is known up to where Redis has it. One that is refused, or of
 * which Redis has something else than was believed, is not followed until it is taken on again; then the partition goes back
 * to where the org stands. Each move back is a new `turn`: a batch of an earlier one has not moved anything on.
 */
type Position = { next: number; generation: number };

export class Positions {
  readonly #positions = new Map<number, Position>();
  /** By org and partition: up to where Redis has it; null: nothing of it. */
  readonly #followed = new Map<string, Map<number, number | null>>();
  #generation = 0;

  get partitions(): number[] {
    return [...this.#positions.keys()];
  }

  /** The partitions have been shared out anew: nothing is known of them. */
  assign(starts: ReadonlyMap<number, number>): void {
    this.#followed.clear();
    this.#positions.clear();
    for (const [partition, next] of starts) this.#positions.set(partition, { next, generation: ++this.#generation });
  }

  at(partition: number): Readonly<Position> | undefined {
    return this.#positions.get(partition);
  }

  /** undefined: not followed there. */
  stored(oid: string, partition: number): number | null | undefined {
    return this.#followed.get(oid)?.get(partition);
  }

  /** Follows the org from `start` on; answers true if that is behind where the partition is read. */
  take(oid: string, partition: number, stored: number | null, start: number): boolean {
    const position = this.#positions.get(partition);
    if (!position) return false;
    this.set(oid, partition, stored);
    // A batch that is under way was gathered without this org: it has to come again, even if nothing lies behind.
    const isBehind = start < position.next;
    this.#positions.set(partition, { next: Math.min(start, position.next), generation: ++this.#generation });
    return isBehind;
  }

  set(oid: string, partition: number, stored: number | null): void {
    const mine = this.#followed.get(oid) ?? new Map<number, number | null>();
    this.#followed.set(oid, mine.set(partition, stored));
  }

  drop(oid: string, partition: number): void {
    this.#followed.get(oid)?.delete(partition);
  }

  /** Redis has these positions of the org: where it should have others, the org is followed no more. */
  compare(oid: string, found: ReadonlyMap<number, number>): void {
    for (const [partition, stored] of [...(this.#followed.get(oid) ?? [])])
      if ((found.get(partition) ?? null) !== stored) this.drop(oid, partition);
  }

  /** A batch of this turn is done. Answers false where the partition has gone back meanwhile. */
  advance(partition: number, generation: number, nextOffset: number): boolean {
    const position = this.#positions.get(partition);
    if (!position || position.generation !== generation) return false;
    position.next = Math.max(position.next, nextOffset);
    return true;
  }

  /** Orgs that Redis has less far than the partition was read, those that are furthest behind first. */
  lagging(most: number): { oid: string; partition: number; stored: number | null; next: number }[] {
    const found = [...this.#followed].flatMap(([oid, mine]) =>
      [...mine].flatMap(([partition, stored]) => {
        const next = this.#positions.get(partition)?.next ?? 0;
        return (stored ?? 0) < next ? [{ oid, partition, stored, next }] : [];
      }),
    );
    return found.sort((a, b) => (a.stored ?? 0) - (b.stored ?? 0)).slice(0, most);
  }
}
