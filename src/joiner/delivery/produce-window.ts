/**
 * The produce window: how many bytes of dispatches one produce may carry. Nothing can be checked between the last check and the
 * append, so this time has to stay a small part of the lease. A slow produce halves the window, quick ones double it. Pure.
 */

/** Fits one request to the broker (src/edges/kafka/producer.ts), so that one produce is never split. */
const MOST_BYTES = 800_000;
const FIRST_BYTES = 100_000;
const LEAST_BYTES = 16_000;
/** Shares of the lease: a produce that took longer is slow; one that took less was quick. */
const SLOW_SHARE = 0.2;
const QUICK_SHARE = 0.05;
/** Shares of the lease after which a claim is checked again: with instant produces, and at the earliest. */
const LATE_SHARE = 0.6;
const EARLIEST_SHARE = 0.2;

export class ProduceWindow {
  readonly #leaseMs: number;
  #bytes = FIRST_BYTES;
  #lastMs = 0;

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adjusts the window after a produce, successful or not. */
  took(ms: number, bytes: number): void {
    this.#lastMs = ms;
    if (ms > this.#leaseMs * SLOW_SHARE) this.#bytes = Math.max(this.#bytes / 2, LEAST_BYTES);
    else if (ms < this.#leaseMs * QUICK_SHARE && bytes > this.#bytes / 2)
      this.#bytes = Math.min(this.#bytes * 2, MOST_BYTES);
  }

  /** A claim of this age has to be checked again before a produce that takes as long as the last one. */
  isLate(ageMs: number): boolean {
    return ageMs > Math.max(this.#leaseMs * LATE_SHARE - this.#lastMs, this.#leaseMs * EARLIEST_SHARE);
  }
}
