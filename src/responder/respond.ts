/**
 * The events of a batch -> match -> suppress -> perform -> write. Other rules see the reports of a round, so they are the events of
 * the next round, up to a maximum of rounds. Effects are written as soon as they cost much, so no more are held than those of one
 * chunk and of one event.
 */
import type { RuleMemory } from '../rules/memory.ts';
import { isRunnable } from '../rules/respond/actions.ts';
import type { NamedRule } from '../rules/ruleset.ts';
import { newEventBudget } from '../rules/view.ts';
import { type ActionPorts, type Firing, ruleNameOf } from './action-input.ts';
import { type Effects, noEffects } from './effects.ts';
import { Matcher } from './match.ts';
import { perform } from './perform.ts';
import type { RuleEvent, Spending } from './rule-event.ts';
import type { Rulesets } from './rulesets.ts';
import { type Allowed, suppress } from './suppress.ts';
import { type PendingIds, Withdrawals } from './withdrawals.ts';

/** Reports that answer reports that answer reports. */
const ROUNDS_MAX = 4;
/** The cost of all actions that one event leads to. Reports that answer reports multiply. */
const COST_MAX = 1_000;
const COST_EXCEEDED = `One event leads to at most ${COST_MAX} actions, fewer if they write much: this action did not run.`;
/** Effects that cost so much are written before the next event. */
const WRITE_COST = 1_000;
/** Bytes, and records without a body, that cost as much as an action. */
const BYTES_OF_ACTION = 16_384;
const RECORDS_OF_ACTION = 16;

export type Responding = {
  readonly ports: ActionPorts & { projection: PendingIds };
  readonly rulesets: Pick<Rulesets, 'of' | 'lookups'>;
  readonly memory: Pick<RuleMemory, 'count'>;
  nowMs(): number;
};

/** Rejects only if Redis does not answer, or if `events` or `write` reject. What was written by then is written again, with the
 *  same ids. */
export async function respond(
  responding: Responding,
  events: AsyncIterable<readonly RuleEvent[]> | Iterable<readonly RuleEvent[]>,
  write: (effects: Effects) => Promise<void>,
): Promise<void> {
  const batch = new BatchResponse(responding);
  for await (const chunk of events) await batch.respond(chunk, write);
  await write(batch.effects);
}

class BatchResponse {
  readonly #responding: Responding;
  readonly #withdrawals: Withdrawals;
  readonly #matcher = new Matcher();
  #cost = 0;
  effects = noEffects();

  constructor(responding: Responding) {
    this.#responding = responding;
    this.#withdrawals = new Withdrawals(responding.ports);
  }

  /** The actions of a chunk are counted together. */
  async respond(chunk: readonly RuleEvent[], write: (effects: Effects) => Promise<void>): Promise<void> {
    const { rulesets, memory } = this.#responding;
    const matched: { spending: Spending; firings: Firing[] }[] = [];
    for (const event of chunk) {
      const rules = rulesets.of(event.oid).forEvent(event.type);
      if (rules.length === 0) continue;
      const spending = { cost: 0, budget: newEventBudget() };
      const firings = await this.#match({ ...event, spending }, rules);
      // Most events match no rule, and are forgotten at once.
      if (firings.length > 0) matched.push({ spending, firings });
    }
    const all = matched.flatMap(({ firings }) => firings);
    const allowed = await suppress(memory, all, this.effects);
    for (const { spending, firings } of matched) {
      await this.#performRounds(firings, allowed);
      this.#cost += spending.cost;
      if (this.#cost < WRITE_COST) continue;
      await write(this.effects);
      this.effects = noEffects();
      this.#cost = 0;
    }
  }

  async #match(event: RuleEvent, rules: readonly NamedRule[]): Promise<Firing[]> {
    if (rules.length === 0) return [];
    const { rulesets, nowMs } = this.#responding;
    return this.#matcher.firingsOf(rules, event, nowMs(), rulesets.lookups(event.oid), this.effects);
  }

  /** Everything that one event leads to. */
  async #performRounds(first: Firing[], allowedFirst: Allowed): Promise<void> {
    const { rulesets, memory } = this.#responding;
    let firings = first;
    let allowed = allowedFirst;
    for (let round = 0; firings.length > 0; round += 1) {
      for (const firing of firings) await this.#perform(firing, allowed);
      if (round === ROUNDS_MAX) {
        for (const firing of firings) this.#fault(firing, 'Reports answer reports too often.');
        return;
      }
      const reports = firings.flatMap(reportsOf);
      firings = [];
      for (const report of reports)
        firings.push(...(await this.#match(report, rulesets.of(report.oid).forDetection(report.type))));
      allowed = await suppress(memory, firings, this.effects);
    }
  }

  async #perform(firing: Firing, allowed: Allowed): Promise<void> {
    const { ports, nowMs } = this.#responding;
    const { effects } = this;
    const { spending = { cost: 0 } } = firing.event;
    for (const action of firing.rule.respond) {
      if (!isRunnable(action)) this.#fault(firing, action.problem);
      else if (!allowed(firing, action.at)) continue;
      else if (spending.cost >= COST_MAX) this.#fault(firing, COST_EXCEEDED);
      else {
        const input = { ports, withdrawals: this.#withdrawals, effects, firing, nowMs: nowMs() };
        spending.cost += await costOf(effects, firing, () => perform(input, action));
      }
    }
  }

  #fault(firing: Firing, sentence: string): void {
    this.effects.faults.push({ oid: firing.event.oid, rule: ruleNameOf(firing), sentence });
  }
}

/** The reports of a firing, as rules on detections see them. */
const reportsOf = ({ event, reports }: Firing): RuleEvent[] =>
  reports.map(({ detectId: eventId, cat: type, view }) => ({ ...event, type, eventId, view }));

/** 1, and more for what the action adds to the effects. */
async function costOf(effects: Effects, firing: Firing, work: () => Promise<void>): Promise<number> {
  const { outputs, commands, presence } = effects;
  const before = { reports: firing.reports.length, outputs: outputs.length, bare: commands.length + presence.length };
  await work();
  const bytes = [
    ...firing.reports.slice(before.reports).map(({ bytes: size }) => size),
    ...outputs.slice(before.outputs).map(({ body }) => body.length),
  ].reduce((sum, size) => sum + size, 0);
  const bare = commands.length + presence.length - before.bare;
  return 1 + bytes / BYTES_OF_ACTION + bare / RECORDS_OF_ACTION;
}
