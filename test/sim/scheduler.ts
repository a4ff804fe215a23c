/**
 * Virtual time: a queue of events. Each event runs alone, and all promises settle before the next one. Nothing else makes time
 * pass, so a run depends only on its seed.
 *
 * An event can belong to a process. The events of a killed process never run; those of a paused one wait, in order.
 */
type Event = { atMs: number; order: number; proc: Proc | null; run: (() => void) | null };

export class Proc {
  readonly name: string;
  alive = true;
  paused = false;
  /** The error of its wall clock. */
  readonly skewMs: number;
  readonly held: (() => void)[] = [];

  constructor(name: string, skewMs: number) {
    this.name = name;
    this.skewMs = skewMs;
  }
}

/** Events queued in one turn of the event loop of Node, because a turn costs more than an event. */
const AT_ONCE = 32;

export class Scheduler {
  #nowMs: number;
  #order = 0;
  #events = 0;
  #halted = false;
  readonly #heap: Event[] = [];

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many events have run. */
  get events(): number {
    return this.#events;
  }

  /** Returns a function that cancels the event. */
  after(ms: number, run: () => void, proc: Proc | null = null): () => void {
    const event: Event = { atMs: this.#nowMs + Math.max(ms, 0), order: this.#order++, proc, run };
    this.#push(event);
    return () => {
      event.run = null;
    };
  }

  pause(proc: Proc): void {
    proc.paused = true;
  }

  resume(proc: Proc): void {
    proc.paused = false;
    for (const run of proc.held.splice(0)) this.after(0, run, proc);
  }

  /** No event runs any more. */
  halt(): void {
    this.#halted = true;
  }

  /** Runs all events up to a time. Rejects with the error of an event. */
  runUntil(endMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let over = false;
      const step = (): void => {
        if (over || this.#halted) return;
        const event = this.#next(endMs);
        if (event === null) {
          over = true;
          this.#nowMs = endMs;
          resolve();
          return;
        }
        try {
          event();
        } catch (error) {
          over = true;
          reject(error);
        }
      };
      // Node settles all promises after each setImmediate callback.
      const turn = (): void => {
        if (over || this.#halted) return;
        for (let i = 0; i < AT_ONCE; i += 1) setImmediate(step);
        setImmediate(turn);
      };
      turn();
    });
  }

  #next(endMs: number): (() => void) | null {
    for (;;) {
      const event = this.#heap[0];
      if (event === undefined || event.atMs > endMs) return null;
      this.#pop();
      const { run, proc } = event;
      if (run === null || proc?.alive === false) continue;
      this.#nowMs = Math.max(this.#nowMs, event.atMs);
      if (proc?.paused) {
        proc.held.push(() => event.run?.());
        continue;
      }
      this.#events += 1;
      return run;
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let i = heap.push(event) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (isBefore(heap[parent] as Event, event)) break;
      heap[i] = heap[parent] as Event;
      i = parent;
    }
    heap[i] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    if (heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child += 1;
      if (isBefore(last, heap[child] as Event)) break;
      heap[i] = heap[child] as Event;
      i = child;
    }
    heap[i] = last;
  }
}

const isBefore = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
