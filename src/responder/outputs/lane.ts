/**
 * The way of one output: what waits for it, in the order in which it came, and what is under way. While the output works, a
 * few are sent at once. When it fails, what failed is tried again alone, after waits that grow, and nothing behind it starts.
 * An event is given up when the output will never take it, after some tries, or when it has waited too long.
 *
 * It runs while there is something to do and ends by itself; `add` starts it again. What is no longer ours is passed over.
 */
import type { Clock } from '../../async/clock.ts';
import type { OutputRecord } from '../../model/records.ts';
import type { InRecord } from '../../ports.ts';
import { OutputFault } from './fault.ts';

export type Item = {
  readonly record: InRecord;
  readonly value: OutputRecord;
  readonly bytes: number;
  readonly giveUpAtMs: number;
  /** False: the partition is somebody else's now, who sends it. */
  isOurs(): boolean;
  settle(): void;
};

export type LanePorts = {
  clock: Pick<Clock, 'monoMs' | 'after' | 'random'>;
  /** How many events go in one sending, and how many sendings at once. */
  chunk: number;
  width: number;
  /** Rejects with an OutputFault, or another error, which is taken for one that passes. */
  send(items: readonly Item[]): Promise<void>;
  failed(reason: string): void;
  /** True when they stand somewhere else; false when all stops. */
  giveUp(items: readonly Item[], reason: string): Promise<boolean>;
  onIdle(): void;
};

export const TRIES = 8;
const FIRST_WAIT_MS = 200;
const WAIT_MAX_MS = 10_000;
const OVERDUE_AT_ONCE = 200;

type Queued = { item: Item; order: number; tries: number };

export class Lane {
  readonly #ports: LanePorts;
  /** What was tried before, the oldest first. */
  #again: Queued[] = [];
  #waiting: Queued[] = [];
  #head = 0;
  #order = 0;
  #underWay = 0;
  /** Failures since the last success. */
  #failures = 0;
  #resumeAtMs = 0;
  #stopped = false;
  #running: Promise<void> | null = null;
  #wake: () => void = () => {};

  constructor(ports: LanePorts) {
    this.#ports = ports;
  }

  add(item: Item): void {
    this.#waiting.push({ item, order: this.#order, tries: 0 });
    this.#order += 1;
    this.#running ??= this.#run();
    this.#wake();
  }

  /** What is under way ends; the rest stays where it is. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, width } = this.#ports;
    while (!this.#stopped || this.#underWay > 0) {
      const waitMs = this.#resumeAtMs - clock.monoMs();
      const overdue = this.#stopped ? [] : this.#take(OVERDUE_AT_ONCE, ({ item }) => item.giveUpAtMs <= clock.monoMs());
      if (overdue.length > 0) await this.#giveUp(overdue, 'It waited too long for the output.');
      else if (this.#stopped || this.#underWay >= (this.#failures > 0 ? 1 : width)) await this.#nudged();
      else if (waitMs > 0 && !this.#isEmpty()) await this.#nudged(waitMs);
      else if (!this.#isEmpty()) this.#start();
      else if (this.#underWay > 0) await this.#nudged();
      else break;
    }
    this.#running = null;
    if (!this.#stopped) this.#ports.onIdle();
  }

  #start(): void {
    const [ours, others] = apart(this.#take(this.#ports.chunk, () => true));
    for (const { item } of others) item.settle();
    if (ours.length === 0) return;
    this.#underWay += 1;
    void this.#attempt(ours).finally(() => {
      this.#underWay -= 1;
      this.#wake();
    });
  }

  async #attempt(queued: readonly Queued[]): Promise<void> {
    try {
      await this.#ports.send(queued.map(({ item }) => item));
      this.#failures = 0;
      for (const { item } of queued) item.settle();
    } catch (error) {
      await this.#onFault(queued, error);
    }
  }

  async #onFault(queued: readonly Queued[], error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.message : String(error);
    this.#ports.failed(reason);
    const isFinal = error instanceof OutputFault && error.isFinal;
    const tried = queued.map((one) => ({ ...one, tries: one.tries + 1 }));
    if (isFinal) return this.#giveUp(tried, reason);
    const { clock } = this.#ports;
    // Those that were sent together fail together, which says no more than one of them.
    if (clock.monoMs() >= this.#resumeAtMs) {
      this.#failures += 1;
      this.#resumeAtMs = clock.monoMs() + waitAfter(this.#failures, clock.random());
    }
    const spent = tried.filter(({ tries }) => tries >= TRIES);
    this.#again = [...this.#again, ...tried.filter(({ tries }) => tries < TRIES)].sort((a, b) => a.order - b.order);
    if (spent.length > 0) await this.#giveUp(spent, `${reason} It was tried ${TRIES} times.`);
  }

  async #giveUp(queued: readonly Queued[], reason: string): Promise<void> {
    const [ours, others] = apart(queued);
    for (const { item } of others) item.settle();
    const items = ours.map(({ item }) => item);
    if (items.length > 0 && (await this.#ports.giveUp(items, reason))) for (const item of items) item.settle();
  }

  /** The oldest ones of which it holds, of those that were tried before or else of the others. */
  #take(most: number, holds: (queued: Queued) => boolean): Queued[] {
    const taken: Queued[] = [];
    while (taken.length < most && this.#again[0] && holds(this.#again[0])) taken.push(this.#again.shift() as Queued);
    if (this.#again.length > 0) return taken;
    for (let next = this.#waiting[this.#head]; next && taken.length < most && holds(next); ) {
      taken.push(next);
      this.#head += 1;
      next = this.#waiting[this.#head];
    }
    if (this.#head > 1_000 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return taken;
  }

  #isEmpty = (): boolean => this.#again.length === 0 && this.#head === this.#waiting.length;

  #nudged(ms?: number): Promise<void> {
    return new Promise((resolve) => {
      const callOff = ms === undefined ? () => {} : this.#ports.clock.after(ms, resolve);
      this.#wake = () => {
        callOff();
        resolve();
      };
    });
  }
}

const apart = (queued: readonly Queued[]): [Queued[], Queued[]] => [
  queued.filter(({ item }) => item.isOurs()),
  queued.filter(({ item }) => !item.isOurs()),
];

const waitAfter = (failures: number, random: number): number =>
  Math.min(FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 10), WAIT_MAX_MS) * (0.5 + random / 2);
