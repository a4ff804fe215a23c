/**
 * Virtual time: a queue of events, each run by itself with all promises settled before the next. Nothing else makes time
 * pass, so a run depends on its seed alone.
 *
 * A process is what an event can belong to: killed, its events never run; paused, they wait, in order, for its resumption.
 */
type Event = { atMs: number; order: number; proc: Proc | null; run: (() => void) | null };

export class Proc {
  readonly name: string;
  alive = true;
  paused = false;
  /** How far its wall clock is off. */
  readonly skewMs: number;
  readonly held: (() => void)[] = [];

  constructor(name: string, skewMs: number) {
    this.name = name;
    this.skewMs = skewMs;
  }
}

/** Events that are queued at once before the loop of Node turns: it costs more than an event does. */
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

  /** Answers how to call it off. */
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

  /** Nothing runs any more. */
  halt(): void {
    this.#halted = true;
  }

  /** Runs everything up to a time. Rejects with what an event throws. */
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
      // Node settles all promises after each of these.
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
