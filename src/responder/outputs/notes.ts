/** Failures of outputs: gathered and stored about once a second, and logged once a minute for each output. What cannot be stored is
 *  stored later. */
import type { Logger } from 'pino';
import type { Clock } from '../../async/clock.ts';
import type { OutputFailure, OutputMemory } from './memory.ts';

type Note = OutputFailure & { oid: string; output: string };

const STORE_MS = 1_000;
const LOG_AGAIN_MS = 60_000;
const LOGGED_MAX = 10_000;

export class OutputNotes {
  readonly #memory: OutputMemory;
  readonly #log: Logger;
  readonly #clock: Pick<Clock, 'nowMs' | 'every'>;
  readonly #unstored = new Map<string, Note>();
  /** When each output was logged last. */
  readonly #loggedAtMs = new Map<string, number>();
  #loop: ReturnType<Clock['every']> | null = null;

  constructor(memory: OutputMemory, log: Logger, clock: Pick<Clock, 'nowMs' | 'every'>) {
    this.#memory = memory;
    this.#log = log;
    this.#clock = clock;
  }

  start(): void {
    this.#loop = this.#clock.every(STORE_MS, () => this.#store());
  }

  async stop(): Promise<void> {
    await this.#loop?.stop();
    await this.#store();
  }

  add(oid: string, output: string, reason: string, undelivered: number): void {
    const key = `${oid}/${output}`;
    const atMs = this.#clock.nowMs();
    const before = this.#unstored.get(key)?.undelivered ?? 0;
    this.#unstored.set(key, { oid, output, reason, atMs, undelivered: before + undelivered });
    if (atMs - (this.#loggedAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < LOG_AGAIN_MS) return;
    if (this.#loggedAtMs.size >= LOGGED_MAX) this.#loggedAtMs.clear();
    this.#loggedAtMs.set(key, atMs);
    this.#log.warn({ oid, output, fault: reason }, 'output failed: check its setting and its target');
  }

  async #store(): Promise<void> {
    if (this.#unstored.size === 0) return;
    const notes = [...this.#unstored.values()];
    this.#unstored.clear();
    try {
      await this.#memory.noteFailures(notes);
    } catch (error) {
      this.#log.debug({ err: error }, 'failures of outputs not stored in Redis; retrying');
      for (const note of notes) this.#putBack(note);
    }
  }

  #putBack(note: Note): void {
    const key = `${note.oid}/${note.output}`;
    const newer = this.#unstored.get(key);
    this.#unstored.set(key, newer ? { ...newer, undelivered: newer.undelivered + note.undelivered } : note);
  }
}
