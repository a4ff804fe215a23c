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
  const asked = { nowMs, lookups, eventType: seen.type };
  for (const rule of rules) {
    if (rule.expiresAtMs !== undefined && nowMs >= rule.expiresAtMs) continue;
    try {
      const { match, mtd, errors } = evaluate(rule.detect, seen.view, asked);
      if (errors.length > 0) for (const sentence of errors) effects.faults.push(faultOf(rule, seen, sentence));
      if (match) firings.push({ rule, seen, mtd, reports: [] });
    } catch (error) {
      effects.faults.push(faultOf(rule, seen, sentenceOf(error)));
    }
  }
  return firings;
}

const faultOf = ({ hive, name }: NamedRule, { oid }: Seen, sentence: string) => ({
  oid,
  rule: `${hive}/${name}`,
  sentence,
});
