/**
 * Counts recent failures by subject (an address, a name, or both), in windows that start with the first failure. It counts in this
 * process only. The number of subjects is limited: above the limit, the oldest are forgotten.
 */
type Window = { failures: number; endsMs: number };

export class Failures {
  readonly #windowMs: number;
  readonly #subjectsMax: number;
  readonly #nowMs: () => number;
  /** In the order in which they started. */
  readonly #windows = new Map<string, Window>();

  constructor(windowMs: number, subjectsMax: number, nowMs: () => number) {
    this.#windowMs = windowMs;
    this.#subjectsMax = subjectsMax;
    this.#nowMs = nowMs;
  }

  /** Failures of the subject in its window, and the time until that ends. */
  of(subject: string): { failures: number; leftMs: number } {
    const window = this.#windows.get(subject);
    const leftMs = (window?.endsMs ?? 0) - this.#nowMs();
    return window && leftMs > 0 ? { failures: window.failures, leftMs } : { failures: 0, leftMs: 0 };
  }

  add(subject: string): void {
    const { failures, leftMs } = this.of(subject);
    this.#keep(subject, failures + 1, failures === 0 ? this.#windowMs : leftMs);
  }

  /** Takes the count of all processes for the subject, and the time until its window ends. */
  learn(subject: string, failures: number, leftMs: number): void {
    if (failures > this.of(subject).failures) this.#keep(subject, failures, leftMs);
  }

  #keep(subject: string, failures: number, leftMs: number): void {
    const endsMs = this.#nowMs() + leftMs;
    const window = this.#windows.get(subject);
    // An expired window restarts as the newest entry.
    if (window && window.endsMs <= this.#nowMs()) this.#windows.delete(subject);
    this.#windows.set(subject, { failures, endsMs });
    for (const [oldest, { endsMs: over }] of this.#windows) {
      if (this.#windows.size <= this.#subjectsMax && over > this.#nowMs()) break;
      this.#windows.delete(oldest);
    }
  }
}
