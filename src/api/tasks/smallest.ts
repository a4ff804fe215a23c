/** Keeps the first `limit` of many values in the order of their keys, in memory for twice as many. Keys are unique. */
export class Smallest<T> {
  readonly #limit: number;
  readonly #keyOf: (value: T) => string;
  #kept: T[] = [];
  /** After values were dropped, no value beyond this key can be among the first. */
  #highest: string | null = null;

  constructor(limit: number, keyOf: (value: T) => string) {
    this.#limit = limit;
    this.#keyOf = keyOf;
  }

  /** More values were added than are kept. */
  get overflowed(): boolean {
    return this.#highest !== null || this.#kept.length > this.#limit;
  }

  add(value: T): void {
    if (this.#highest !== null && this.#keyOf(value) > this.#highest) return;
    this.#kept.push(value);
    if (this.#kept.length > 2 * this.#limit) this.#trim();
  }

  sorted(): T[] {
    if (this.#kept.length > this.#limit) this.#trim();
    else this.#sort();
    return this.#kept;
  }

  #trim(): void {
    this.#sort();
    this.#kept.length = this.#limit;
    this.#highest = this.#keyOf(this.#kept.at(-1) as T);
  }

  #sort(): void {
    this.#kept.sort((a, b) => (this.#keyOf(a) < this.#keyOf(b) ? -1 : 1));
  }
}
