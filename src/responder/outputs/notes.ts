/** Failures of outputs, gathered and noted once in a while; the log tells the first of each in a while. Bounded by the outputs
 *  that are set. What can't be noted waits for the next time. */
import type { Logger } from 'pino';
import type { Clock } from '../../async/clock.ts';
import type { OutputFailure, OutputMemory } from './memory.ts';

type Note = OutputFailure & { oid: string; output: string };

const EVERY_MS = 1_000;
const AGAIN_MS = 60_000;
const PLACES_MAX = 10_000;

export class OutputNotes {
  readonly #memory: OutputMemory;
  readonly #log: Logger;
  readonly #clock: Pick<Clock, 'nowMs' | 'every'>;
  readonly #waiting = new Map<string, Note>();
  readonly #told = new Map<string, number>();
  #loop: ReturnType<Clock['every']> | null = null;

  constructor(memory: OutputMemory, log: Logger, clock: Pick<Clock, 'nowMs' | 'every'>) {
    this.#memory = memory;
    this.#log = log;
    this.#clock = clock;
  }

  start(): void {
    this.#loop = this.#clock.every(EVERY_MS, () => this.#flush());
  }

  async stop(): Promise<void> {
    await this.#loop?.stop();
    await this.#flush();
  }

  add(oid: string, output: string, reason: string, undelivered: number): void {
    const place = `${oid}/${output}`;
    const atMs = this.#clock.nowMs();
    const before = this.#waiting.get(place)?.undelivered ?? 0;
    this.#waiting.set(place, { oid, output, reason, atMs, undelivered: before + undelivered });
    if (atMs - (this.#told.get(place) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return;
    if (this.#told.size >= PLACES_MAX) this.#told.clear();
    this.#told.set(place, atMs);
    this.#log.warn({ oid, output, fault: reason }, 'an output fails');
  }

  async #flush(): Promise<void> {
    if (this.#waiting.size === 0) return;
    const notes = [...this.#waiting.values()];
    this.#waiting.clear();
    try {
      await this.#memory.noteFailures(notes);
    } catch (error) {
      this.#log.debug({ err: error }, 'failures of outputs were not noted yet');
      for (const note of notes) this.#putBack(note);
    }
  }

  #putBack(note: Note): void {
    const place = `${note.oid}/${note.output}`;
    const newer = this.#waiting.get(place);
    this.#waiting.set(place, newer ? { ...newer, undelivered: newer.undelivered + note.undelivered } : note);
  }
}
