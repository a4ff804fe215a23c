/** Suppression: counts how often actions of rules ran, and says which of them run now. */

import type { Count, RuleMemory } from '../rules/memory.ts';
import { isRunnable } from '../rules/respond/actions.ts';
import { type Counted, counted, runsNow, type Suppression } from '../rules/respond/suppression.ts';
import { type Firing, ruleNameOf } from './action-input.ts';
import { type Effects, sentenceOf } from './effects.ts';

/** `at`: the path of the action in the rule. */
export type Allowed = (firing: Firing, at: string) => boolean;

type CountedAction = { firing: Firing; at: string; count: Count; runs(before: number): boolean };

/** Counts the actions of all firings together: one script for each org. */
export async function suppress(
  memory: Pick<RuleMemory, 'count'>,
  firings: readonly Firing[],
  effects: Pick<Effects, 'faults'>,
): Promise<Allowed> {
  const actions = firings.flatMap((firing) => countedActionsOf(firing, effects));
  if (actions.length === 0) return () => true;
  const before = await memory.count(actions.map(({ count }) => count));
  const suppressed = new Map<Firing, Set<string>>();
  for (const [i, { firing, at, runs }] of actions.entries())
    if (!runs(before[i] ?? 0)) suppressed.set(firing, (suppressed.get(firing) ?? new Set()).add(at));
  return (firing, at) => suppressed.get(firing)?.has(at) !== true;
}

function countedActionsOf(firing: Firing, effects: Pick<Effects, 'faults'>): CountedAction[] {
  const { oid, eventId } = firing.event;
  return firing.rule.respond.flatMap((action) => {
    if (!isRunnable(action) || action.suppression === undefined) return [];
    const { suppression, at } = action;
    const actionName = `${ruleNameOf(firing)}/${at}`;
    const { key, by } = keyOf(firing, suppression, at, effects);
    const { periodMs, maxCount } = suppression;
    const count = { oid, key, id: `${eventId} ${actionName}`, by, periodMs, maxCount };
    return [{ firing, at, count, runs: (before: number) => runsNow(suppression, before, by) }];
  });
}

/** If the key cannot be rendered, that is a fault, and the action is counted alone. */
function keyOf(firing: Firing, suppression: Suppression, at: string, effects: Pick<Effects, 'faults'>): Counted {
  const { event, mtd } = firing;
  const rule = ruleNameOf(firing);
  const data = mtd === undefined ? event.view : { ...event.view, mtd };
  try {
    return counted(suppression, data, event.sid, `${rule}/${at}`);
  } catch (error) {
    effects.faults.push({ oid: event.oid, rule, sentence: `${at}: ${sentenceOf(error)}` });
    return { key: `${rule}/${at}`, by: 1 };
  }
}
