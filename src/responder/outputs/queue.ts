/**
 * The queue of one output: events that wait, in the order of the topic, and events in flight. While the output works, a few
 * requests are in flight at once. When it fails, the failed events are tried again alone, after growing delays, and no later event
 * is sent. An event is given up if the output refuses it for good, after some attempts, or when it has waited too long.
 *
 * The queue runs while it has events; `add` starts it again. Events of a partition that moved to another process are dropped.
 */
import type { Clock } from '../../async/clock.ts';
import type { OutputRecord } from '../../model/records.ts';
import type { InRecord } from '../../ports.ts';
import { OutputFault } from './fault.ts';

export type QueuedRecord = {
  readonly record: InRecord;
  readonly value: OutputRecord;
  readonly giveUpAtMs: number;
  /** False: another process owns the partition now, and sends the event. */
  isOwned(): boolean;
  /** The event was sent, or is a dead letter. */
  settle(): void;
};

export type QueuePorts = {
  clock: Pick<Clock, 'monoMs' | 'after' | 'random'>;
  /** How many events one request carries, and how many requests are in flight at once. */
  chunk: number;
  width: number;
  /** Rejects with an OutputFault, or with another error, which is tried again. */
  send(items: readonly QueuedRecord[]): Promise<void>;
  failed(reason: string): void;
  /** True when the dead letters are written; false when the process stops. */
  giveUp(items: readonly QueuedRecord[], reason: string): Promise<boolean>;
  onIdle(): void;
};

export const ATTEMPTS = 8;
const FIRST_DELAY_MS = 200;
const DELAY_MAX_MS = 10_000;
const OVERDUE_AT_ONCE = 200;
/** Entries that were taken are cut off the array when they are many, and more than half of it. */
const TAKEN_MAX = 1_000;

type Entry = { item: QueuedRecord; order: number; attempts: number };

export class OutputQueue {
  readonly #ports: QueuePorts;
  /** Tried before; the oldest first. */
  #failed: Entry[] = [];
  #waiting: Entry[] = [];
  /** Entries at the beginning of `#waiting` that were taken. */
  #taken = 0;
  #order = 0;
  #inFlight = 0;
  /** Failures since the last success. */
  #failures = 0;
  #resumeAtMs = 0;
  #stopped = false;
  #running: Promise<void> | null = null;
  #wake: () => void = () => {};

  constructor(ports: QueuePorts) {
    this.#ports = ports;
  }

  add(item: QueuedRecord): void {
    this.#waiting.push({ item, order: this.#order, attempts: 0 });
    this.#order += 1;
    this.#running ??= this.#run();
    this.#wake();
  }

  /** Waits for the requests in flight. The other events stay unsettled. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, width } = this.#ports;
    while (!this.#stopped || this.#inFlight > 0) {
      const delayMs = this.#resumeAtMs - clock.monoMs();
      const overdue = this.#stopped ? [] : this.#take(OVERDUE_AT_ONCE, ({ item }) => item.giveUpAtMs <= clock.monoMs());
      if (overdue.length > 0) await this.#giveUp(overdue, 'It waited too long for the output.');
      else if (this.#stopped || this.#inFlight >= (this.#failures > 0 ? 1 : width)) await this.#woken();
      else if (delayMs > 0 && !this.#isEmpty()) await this.#woken(delayMs);
      else if (!this.#isEmpty()) this.#start();
      else if (this.#inFlight > 0) await this.#woken();
      else break;
    }
    this.#running = null;
    if (!this.#stopped) this.#ports.onIdle();
  }

  #start(): void {
    const owned = dropLost(this.#take(this.#ports.chunk, () => true));
    if (owned.length === 0) return;
    this.#inFlight += 1;
    void this.#attempt(owned).finally(() => {
      this.#inFlight -= 1;
      this.#wake();
    });
  }

  async #attempt(entries: readonly Entry[]): Promise<void> {
    try {
      await this.#ports.send(entries.map(({ item }) => item));
      this.#failures = 0;
      for (const { item } of entries) item.settle();
    } catch (error) {
      await this.#onFault(entries, error);
    }
  }

  async #onFault(entries: readonly Entry[], error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.message : String(error);
    this.#ports.failed(reason);
    const tried = entries.map((entry) => ({ ...entry, attempts: entry.attempts + 1 }));
    if (error instanceof OutputFault && error.isFinal) return this.#giveUp(tried, reason);
    const { clock } = this.#ports;
    // Requests that were in flight together fail together. That counts as one failure.
    if (clock.monoMs() >= this.#resumeAtMs) {
      this.#failures += 1;
      this.#resumeAtMs = clock.monoMs() + delayAfter(this.#failures, clock.random());
    }
    const exhausted = tried.filter(({ attempts }) => attempts >= ATTEMPTS);
    const again = tried.filter(({ attempts }) => attempts < ATTEMPTS);
    this.#failed = [...this.#failed, ...again].sort((a, b) => a.order - b.order);
    if (exhausted.length > 0) await this.#giveUp(exhausted, `${reason} It was tried ${ATTEMPTS} times.`);
  }

  async #giveUp(entries: readonly Entry[], reason: string): Promise<void> {
    const items = dropLost(entries).map(({ item }) => item);
    if (items.length > 0 && (await this.#ports.giveUp(items, reason))) for (const item of items) item.settle();
  }

  /** The oldest entries while `holds` is true. As long as there are failed entries, only of these. */
  #take(max: number, holds: (entry: Entry) => boolean): Entry[] {
    const taken: Entry[] = [];
    while (taken.length < max && this.#failed[0] && holds(this.#failed[0])) taken.push(this.#failed.shift() as Entry);
    if (this.#failed.length > 0) return taken;
    for (let next = this.#waiting[this.#taken]; next && taken.length < max && holds(next); ) {
      taken.push(next);
      this.#taken += 1;
      next = this.#waiting[this.#taken];
    }
    if (this.#taken > TAKEN_MAX && this.#taken * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#taken);
      this.#taken = 0;
    }
    return taken;
  }

  #isEmpty = (): boolean => this.#failed.length === 0 && this.#taken === this.#waiting.length;

  #woken(ms?: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = ms === undefined ? () => {} : this.#ports.clock.after(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}

/** Settles the entries of partitions that are not owned any more, and returns the others. */
function dropLost(entries: readonly Entry[]): Entry[] {
  const { owned = [], lost = [] } = Object.groupBy(entries, ({ item }) => (item.isOwned() ? 'owned' : 'lost'));
  for (const { item } of lost) item.settle();
  return owned;
}

const delayAfter = (failures: number, random: number): number =>
  Math.min(FIRST_DELAY_MS * 2 ** Math.min(failures - 1, 10), DELAY_MAX_MS) * (0.5 + random / 2);
