/**
 * Where a consumer reads on: the next offset of each partition, and its generation. A position that moves back gets a new
 * generation. A batch of an earlier generation cannot advance it, so no offset is stored past records that the batch has not
 * seen. Pure.
 */
export type Position = { readonly next: number; readonly generation: number };

export class Positions<Key> {
  readonly #positions = new Map<Key, Position>();
  #generation = 0;

  get keys(): Key[] {
    return [...this.#positions.keys()];
  }

  at(key: Key): Position | undefined {
    return this.#positions.get(key);
  }

  /** For a new assignment of the partitions. */
  clear(): void {
    this.#positions.clear();
  }

  start(key: Key, next: number): void {
    this.#generation += 1;
    this.#positions.set(key, { next, generation: this.#generation });
  }

  /** Moves back to `offset`. True: that is behind the position, so the consumer has to seek. The generation is new in any case:
   *  a batch in progress was begun without the reason for the move, and is read again. */
  back(key: Key, offset: number): boolean {
    const position = this.#positions.get(key);
    if (position === undefined) return false;
    this.start(key, Math.min(offset, position.next));
    return offset < position.next;
  }

  isCurrent(key: Key, generation: number): boolean {
    return this.#positions.get(key)?.generation === generation;
  }

  /** A batch is done. False, and nothing changes: its generation is over. */
  advance(key: Key, generation: number, nextOffset: number): boolean {
    const position = this.#positions.get(key);
    if (position?.generation !== generation) return false;
    this.#positions.set(key, { next: Math.max(position.next, nextOffset), generation });
    return true;
  }
}
