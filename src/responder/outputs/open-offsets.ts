/** How far a partition may be committed when its records are settled out of order: up to the first that is not. */
export class OpenOffsets {
  readonly #open = new Set<number>();
  #next = 0;

  /** False: it is known already. Offsets come in their order. */
  add(offset: number): boolean {
    if (offset < this.#next) return false;
    this.#open.add(offset);
    this.#next = offset + 1;
    return true;
  }

  settle(offset: number): void {
    this.#open.delete(offset);
  }

  /** All below have been seen; some of them have no record. */
  passed(nextOffset: number): void {
    this.#next = Math.max(this.#next, nextOffset);
  }

  get committable(): number {
    for (const first of this.#open) return first;
    return this.#next;
  }
}
