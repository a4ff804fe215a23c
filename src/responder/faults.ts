/**
 * Faults of rules: logged, and stored as the rule's `last_error`. The same fault is reported once a minute, so that a rule that
 * fails on every event costs little. A fault that cannot be stored is dropped: the rules continue.
 */
import type { Logger } from 'pino';
import type { Clock } from '../async/clock.ts';
import type { RuleFaultNote, RuleMemory } from '../rules/memory.ts';

const REPEAT_MS = 60_000;
const SENTENCE_MAX = 1_000;
const RULES_MAX = 10_000;

export class Faults {
  readonly #memory: RuleMemory;
  readonly #log: Logger;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #reported = new Map<string, RuleFaultNote>();
  readonly #unstored = new Map<string, RuleFaultNote>();

  constructor(memory: RuleMemory, log: Logger, clock: Pick<Clock, 'nowMs'>) {
    this.#memory = memory;
    this.#log = log;
    this.#clock = clock;
  }

  add({ oid, rule, sentence: whole }: { oid: string; rule: string; sentence: string }): void {
    const ruleOfOrg = `${oid}/${rule}`;
    const note = { oid, rule, sentence: whole.slice(0, SENTENCE_MAX), atMs: this.#clock.nowMs() };
    const reported = this.#reported.get(ruleOfOrg);
    if (reported && reported.sentence === note.sentence && note.atMs - reported.atMs < REPEAT_MS) return;
    if (this.#reported.size >= RULES_MAX) this.#reported.clear();
    this.#reported.set(ruleOfOrg, note);
    this.#unstored.set(ruleOfOrg, note);
    this.#log.warn({ oid, rule, fault: note.sentence }, 'rule failed: see the fault');
  }

  async flush(): Promise<void> {
    if (this.#unstored.size === 0) return;
    const notes = [...this.#unstored.values()];
    this.#unstored.clear();
    await this.#memory
      .noteFaults(notes)
      .catch((error: unknown) => this.#log.debug({ err: error }, 'faults of rules not stored in Redis'));
  }
}
