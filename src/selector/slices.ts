/** Cuts loops over many evaluations into slices, so that other work of the process runs in between. */
import { work } from './work-counter.ts';

/** Work of one slice: about 25 ms at most. The last evaluation of a slice may add about 100 ms (`SELECTOR_BOUNDS.regexWork`). */
export const SLICE_WORK = 250_000;

/** Concurrent loops resume one at a time. Together they block the process no longer than a single loop. */
let resuming: Promise<unknown> = Promise.resolve();

/** Use: `if (slices.isOver) await slices.pause();`. `yieldToOthers` resolves when all other waiting work has run. It does not reject. */
export class Slices {
  readonly #yieldToOthers: () => Promise<unknown>;
  #end = work.spent + SLICE_WORK;

  constructor(yieldToOthers: () => Promise<unknown>) {
    this.#yieldToOthers = yieldToOthers;
  }

  get isOver(): boolean {
    return work.spent >= this.#end;
  }

  async pause(): Promise<void> {
    resuming = resuming.then(this.#yieldToOthers);
    await resuming;
    this.#end = work.spent + SLICE_WORK;
  }

  /** The items for which `accepts` returns true, in order. */
  async filter<T>(items: Iterable<T>, accepts: (item: T) => boolean): Promise<T[]> {
    const found: T[] = [];
    for (const item of items) {
      if (this.isOver) await this.pause();
      if (accepts(item)) found.push(item);
    }
    return found;
  }
}
