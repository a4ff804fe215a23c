/**
 * Faults of rules, told once in a while: in the log, and as the rule's `last_error`. The same fault again within a minute is
 * not told, so that a rule that fails on every event costs little. What can't be told is dropped: rules go on.
 */
import type { Logger } from 'pino';
import type { Clock } from '../async/clock.ts';
import type { RuleFaultNote, RuleMemory } from '../rules/memory.ts';

const AGAIN_MS = 60_000;
const SENTENCE_MAX = 1_000;
const PLACES_MAX = 10_000;

export class Faults {
  readonly #memory: RuleMemory;
  readonly #log: Logger;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #told = new Map<string, RuleFaultNote>();
  readonly #waiting = new Map<string, RuleFaultNote>();

  constructor(memory: RuleMemory, log: Logger, clock: Pick<Clock, 'nowMs'>) {
    this.#memory = memory;
    this.#log = log;
    this.#clock = clock;
  }

  add({ oid, rule, sentence: whole }: { oid: string; rule: string; sentence: string }): void {
    const place = `${oid}/${rule}`;
    const note = { oid, rule, sentence: whole.slice(0, SENTENCE_MAX), atMs: this.#clock.nowMs() };
    const told = this.#told.get(place);
    if (told && told.sentence === note.sentence && note.atMs - told.atMs < AGAIN_MS) return;
    if (this.#told.size >= PLACES_MAX) this.#told.clear();
    this.#told.set(place, note);
    this.#waiting.set(place, note);
    this.#log.warn({ oid, rule, fault: note.sentence }, 'a rule failed');
  }

  async flush(): Promise<void> {
    if (this.#waiting.size === 0) return;
    const notes = [...this.#waiting.values()];
    this.#waiting.clear();
    await this.#memory
      .noteFaults(notes)
      .catch((error: unknown) => this.#log.debug({ err: error }, 'faults were not noted'));
  }
}
