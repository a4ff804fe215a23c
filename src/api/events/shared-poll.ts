/**
 * One repeated call, shared by all callers that wait for its result to change. Guarantees:
 *  - the call whose result `next` returns started after `next` was called, so the result includes everything that happened before;
 *  - at most one call runs at a time, and none if nobody waits;
 *  - calls start at least `gapMs` apart, unless `soon` says that the result has just changed.
 */
import type { TimeSource } from '../../async/clock.ts';

export class SharedPoll<T> {
  readonly #clock: Pick<TimeSource, 'monoMs' | 'after'>;
  readonly #ask: () => Promise<T>;
  readonly #gapMs: number;
  /** The callers that wait for the next call to start. */
  #upcoming: PromiseWithResolvers<T> | null = null;
  #callOff: (() => void) | null = null;
  #asking = false;
  #lastAskedMs = Number.NEGATIVE_INFINITY;
  #hinted = false;

  constructor(clock: Pick<TimeSource, 'monoMs' | 'after'>, ask: () => Promise<T>, gapMs: number) {
    this.#clock = clock;
    this.#ask = ask;
    this.#gapMs = gapMs;
  }

  /** The next result. Rejects if the call does. */
  next(): Promise<T> {
    this.#upcoming ??= Promise.withResolvers<T>();
    const { promise } = this.#upcoming;
    this.#schedule();
    return promise;
  }

  /** The result may have changed: the next call starts without the rest of the gap. */
  soon(): void {
    this.#hinted = true;
    this.#callOff?.();
    this.#callOff = null;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#upcoming === null || this.#asking || this.#callOff !== null) return;
    const waitMs = this.#hinted ? 0 : this.#lastAskedMs + this.#gapMs - this.#clock.monoMs();
    if (waitMs <= 0) this.#askNow();
    else
      this.#callOff = this.#clock.after(waitMs, () => {
        this.#callOff = null;
        this.#askNow();
      });
  }

  #askNow(): void {
    const waiting = this.#upcoming as PromiseWithResolvers<T>;
    this.#upcoming = null;
    this.#asking = true;
    this.#hinted = false;
    this.#lastAskedMs = this.#clock.monoMs();
    this.#ask()
      .then(waiting.resolve, waiting.reject)
      .finally(() => {
        this.#asking = false;
        this.#schedule();
      });
  }
}
