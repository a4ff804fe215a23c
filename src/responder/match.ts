/**
 * Which rules match what was seen, and which of their actions run now.
 *
 * All rules of an org share one work budget for an event and the reports that it causes (rules/bounds.ts). Each event starts with
 * a different rule, so that one costly rule does not always exhaust the budget for the same rules. A rule that finds the budget
 * exhausted is reported as a fault. Other work runs between rules.
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
import type { Firing } from './acting.ts';
import type { Effects } from './effects.ts';
import { sentenceOf } from './perform.ts';
import type { Seen } from './seen.ts';

/** Work between two pauses: at most some 20 ms. The last rule may take a second more. */
const TURN_WORK = 200_000;

type AskedOfEvent = EventContext & { readonly budget: EventBudget };

/** The rules of one batch of events. */
export class Matcher {
  #spent = 0;
  /** Rules already reported for an exhausted budget: one report for each batch, since there may be many events and rules. */
  readonly #told = new Set<string>();

  /** Evaluates rules on one event; what goes wrong is told with the rule's name, and the others go on. Firings are in the
   *  order of the rules. */
  async firingsOf(
    rules: readonly NamedRule[],
    seen: Seen,
    nowMs: number,
    lookups: Lookups,
    effects: Pick<Effects, 'faults'>,
  ): Promise<Firing[]> {
    const budget = seen.made?.budget ?? newEventBudget();
    const asked = { nowMs, lookups, eventType: seen.type, budget };
    const fired = new Map<NamedRule, Firing>();
    for (const rule of turned(rules, seen.eventId)) {
      if (rule.expiresAtMs !== undefined && nowMs >= rule.expiresAtMs) continue;
      if (this.#spent >= TURN_WORK) {
        await nextTurn();
        this.#spent = 0;
      }
      const firing = this.#ask(rule, seen, asked, effects);
      if (firing !== null) fired.set(rule, firing);
    }
    return fired.size < 2 ? [...fired.values()] : rules.flatMap((rule) => fired.get(rule) ?? []);
  }

  #ask(rule: NamedRule, seen: Seen, asked: AskedOfEvent, effects: Pick<Effects, 'faults'>): Firing | null {
    const before = asked.budget.left;
    try {
      const { match, mtd, errors } = evaluate(rule.detect, seen.view, asked);
      if (errors.length > 0) for (const sentence of errors) this.#tell(rule, seen, sentence, effects);
      return match ? { rule, seen, mtd, reports: [] } : null;
    } catch (error) {
      this.#tell(rule, seen, sentenceOf(error), effects);
      return null;
    } finally {
      this.#spent += before - asked.budget.left;
    }
  }

  #tell({ hive, name }: NamedRule, { oid }: Seen, sentence: string, effects: Pick<Effects, 'faults'>): void {
    const rule = `${hive}/${name}`;
    if (sentence === TOO_MUCH_FOR_EVENT) {
      const place = `${oid}/${rule}`;
      if (this.#told.has(place)) return;
      this.#told.add(place);
    }
    effects.faults.push({ oid, rule, sentence });
  }
}

/** All rules, rotated by an offset that depends on the event. The same event gives the same order. */
function turned(rules: readonly NamedRule[], eventId: string): readonly NamedRule[] {
  if (rules.length < 2) return rules;
  let hash = 0;
  for (let i = 0; i < eventId.length; i += 1) hash = (Math.imul(hash, 31) + eventId.charCodeAt(i)) >>> 0;
  const first = hash % rules.length;
  return first === 0 ? rules : [...rules.slice(first), ...rules.slice(0, first)];
}
