/**
 * Counts recent failures by place, in windows that begin with the first failure. It counts in this process only. The number of
 * places is bounded: above the limit, the oldest are forgotten.
 */
type Window = { failures: number; endsMs: number };

export class Failures {
  readonly #windowMs: number;
  readonly #placesMax: number;
  readonly #nowMs: () => number;
  /** In the order in which they began. */
  readonly #windows = new Map<string, Window>();

  constructor(windowMs: number, placesMax: number, nowMs: () => number) {
    this.#windowMs = windowMs;
    this.#placesMax = placesMax;
    this.#nowMs = nowMs;
  }

  /** Failures of the place in its window, and the time until that ends. */
  of(place: string): { failures: number; leftMs: number } {
    const window = this.#windows.get(place);
    const leftMs = (window?.endsMs ?? 0) - this.#nowMs();
    return window && leftMs > 0 ? { failures: window.failures, leftMs } : { failures: 0, leftMs: 0 };
  }

  add(place: string): void {
    const { failures, leftMs } = this.of(place);
    this.#keep(place, failures + 1, failures === 0 ? this.#windowMs : leftMs);
  }

  /** Takes over the count of all processes for the place, and the time until its window ends. */
  learn(place: string, failures: number, leftMs: number): void {
    if (failures > this.of(place).failures) this.#keep(place, failures, leftMs);
  }

  #keep(place: string, failures: number, leftMs: number): void {
    const endsMs = this.#nowMs() + leftMs;
    const window = this.#windows.get(place);
    // An expired window restarts as the newest entry.
    if (window && window.endsMs <= this.#nowMs()) this.#windows.delete(place);
    this.#windows.set(place, { failures, endsMs });
    for (const [oldest, { endsMs: over }] of this.#windows) {
      if (this.#windows.size <= this.#placesMax && over > this.#nowMs()) break;
      this.#windows.delete(oldest);
    }
  }
}
