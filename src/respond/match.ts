/** Which rules match what was seen, and which of their actions run now. */

import { evaluate } from '../rules/evaluate.ts';
import type { NamedRule } from '../rules/ruleset.ts';
import type { Lookups } from '../rules/view.ts';
import type { Firing } from './acting.ts';
import type { Effects } from './effects.ts';
import { sentenceOf } from './perform.ts';
import type { Seen } from './seen.ts';

/** Evaluates rules on one event; what goes wrong is told with the rule's name, and the others go on. */
export function firingsOf(
  rules: readonly NamedRule[],
  seen: Seen,
  nowMs: number,
  lookups: Lookups,
  effects: Pick<Effects, 'faults'>,
): Firing[] {
  const firings: Firing[] = [];
  for (const rule of rules) {
    if (rule.expiresAtMs !== undefined && nowMs >= rule.expiresAtMs) continue;
    const tell = (sentence: string) =>
      effects.faults.push({ oid: seen.oid, rule: `${rule.hive}/${rule.name}`, sentence });
    try {
      const { match, mtd, errors } = evaluate(rule.detect, seen.view, { nowMs, lookups, eventType: seen.type });
      for (const sentence of errors) tell(sentence);
      if (match) firings.push({ rule, seen, mtd, reports: [] });
    } catch (error) {
      tell(sentenceOf(error));
    }
  }
  return firings;
}
