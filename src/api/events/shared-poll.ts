/**
 * One question, asked again and again for all who wait for its answer to change. Guarantees:
 *  - an answer given by `next` was asked for after `next` was called, so it has seen everything that came before;
 *  - one question is under way at a time, however many wait, and none while nobody waits;
 *  - questions start at least `gapMs` apart, unless `soon` says that the answer has just changed.
 */
import type { TimeSource } from '../../async/clock.ts';

export class SharedPoll<T> {
  readonly #clock: Pick<TimeSource, 'monoMs' | 'after'>;
  readonly #ask: () => Promise<T>;
  readonly #gapMs: number;
  /** Those who wait for the question that has not been asked yet. */
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

  /** The next answer. Rejects as the question does. */
  next(): Promise<T> {
    this.#upcoming ??= Promise.withResolvers<T>();
    const { promise } = this.#upcoming;
    this.#schedule();
    return promise;
  }

  /** The answer may have changed: those who wait are not kept for the rest of the gap. */
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
