/**
 * Which rules match an event.
 *
 * All rules of an org share one work budget for an event and the reports that it causes (rules/bounds.ts). Each event starts with
 * a different rule, so that one costly rule does not always exhaust the budget for the same rules. A rule that finds the budget
 * exhausted gets a fault. Other work runs between rules.
 */

import { nextTurn } from '../async/next-turn.ts';
import { evaluate } from '../rules/detect/evaluate.ts';
import type { NamedRule } from '../rules/ruleset.ts';
import {
  type EventBudget,
  type EventContext,
  type Lookups,
  newEventBudget,
  TOO_MUCH_FOR_EVENT,
} from '../rules/view.ts';
import type { Firing } from './action-input.ts';
import { type Effects, sentenceOf } from './effects.ts';
import type { RuleEvent } from './rule-event.ts';

/** Work between two pauses: at most about 20 ms. The last rule may take a second more. */
const SLICE_WORK = 200_000;

type AskedOfEvent = EventContext & { readonly budget: EventBudget };

/** The rules of one batch of events. */
export class Matcher {
  #spent = 0;
  /** Rules that have a fault for an exhausted budget. One fault a batch is enough: there can be many events and rules. */
  readonly #exhausted = new Set<string>();

  /** Evaluates rules on one event. A rule that fails gets a fault, and the other rules run. Firings are in the order of the
   *  rules. */
  async firingsOf(
    rules: readonly NamedRule[],
    event: RuleEvent,
    nowMs: number,
    lookups: Lookups,
    effects: Pick<Effects, 'faults'>,
  ): Promise<Firing[]> {
    const budget = event.spending?.budget ?? newEventBudget();
    const asked = { nowMs, lookups, eventType: event.type, budget };
    const fired = new Map<NamedRule, Firing>();
    for (const rule of rotated(rules, event.eventId)) {
      if (rule.expiresAtMs !== undefined && nowMs >= rule.expiresAtMs) continue;
      if (this.#spent >= SLICE_WORK) {
        await nextTurn();
        this.#spent = 0;
      }
      const firing = this.#evaluate(rule, event, asked, effects);
      if (firing !== null) fired.set(rule, firing);
    }
    return fired.size < 2 ? [...fired.values()] : rules.flatMap((rule) => fired.get(rule) ?? []);
  }

  #evaluate(rule: NamedRule, event: RuleEvent, asked: AskedOfEvent, effects: Pick<Effects, 'faults'>): Firing | null {
    const before = asked.budget.left;
    try {
      const { match, mtd, errors } = evaluate(rule.detect, event.view, asked);
      if (errors.length > 0) for (const sentence of errors) this.#fault(rule, event, sentence, effects);
      return match ? { rule, event, mtd, reports: [] } : null;
    } catch (error) {
      this.#fault(rule, event, sentenceOf(error), effects);
      return null;
    } finally {
      this.#spent += before - asked.budget.left;
    }
  }

  #fault({ hive, name }: NamedRule, { oid }: RuleEvent, sentence: string, effects: Pick<Effects, 'faults'>): void {
    const rule = `${hive}/${name}`;
    if (sentence === TOO_MUCH_FOR_EVENT) {
      const ruleOfOrg = `${oid}/${rule}`;
      if (this.#exhausted.has(ruleOfOrg)) return;
      this.#exhausted.add(ruleOfOrg);
    }
    effects.faults.push({ oid, rule, sentence });
  }
}

/** All rules, rotated by an offset that depends on the event. The same event gives the same order. */
function rotated(rules: readonly NamedRule[], eventId: string): readonly NamedRule[] {
  if (rules.length < 2) return rules;
  let hash = 0;
  for (let i = 0; i < eventId.length; i += 1) hash = (Math.imul(hash, 31) + eventId.charCodeAt(i)) >>> 0;
  const first = hash % rules.length;
  return first === 0 ? rules : [...rules.slice(first), ...rules.slice(0, first)];
}
