/** How far a partition can be committed if its records are settled out of order: up to the first that is not settled. */
export class OpenOffsets {
  readonly #open = new Set<number>();
  #next = 0;

  /** False: the offset was added before. Offsets are added in their order. */
  add(offset: number): boolean {
    if (offset < this.#next) return false;
    this.#open.add(offset);
    this.#next = offset + 1;
    return true;
  }

  settle(offset: number): void {
    this.#open.delete(offset);
  }

  /** The partition was read up to `nextOffset`. Not every offset has a record. */
  passed(nextOffset: number): void {
    this.#next = Math.max(this.#next, nextOffset);
  }

  get committable(): number {
    for (const first of this.#open) return first;
    return this.#next;
  }
}
