/** Evaluates rule cases, each a detect part and an event, like the responder does. For a rule with `target: detection` the event is a
 *  detection. Throws nothing: a refused rule matches nothing, and the verdict says why. */
import { compileDetect, type Target } from './detect/compile-detect.ts';
import { evaluate } from './detect/evaluate.ts';
import { RuleError } from './errors.ts';
import { eventTypeOf, isObject, type View } from './view.ts';

export type CaseVerdict = { id: unknown; match: boolean; error?: string };

/** `value`: `{id, rule, event, lookups?}`. `lookups` maps names to keys. */
export function evaluateCase(value: unknown, nowMs: number): CaseVerdict {
  const { id = null, rule, event, lookups } = isObject(value) ? value : ({} as Record<string, unknown>);
  try {
    const detect = compileDetect(rule, 'rule');
    const view = isObject(event) ? event : {};
    const eventType = eventTypeFor(detect.target, view);
    if (eventType === null) return { id, match: false };
    const lookup = (name: string) => {
      const found = isObject(lookups) && Object.hasOwn(lookups, name) ? lookups[name] : undefined;
      return isObject(found) ? found : undefined;
    };
    const { match, errors } = evaluate(detect, view, { nowMs, lookups: lookup, eventType });
    return errors.length === 0 ? { id, match } : { id, match, error: errors.join(' ') };
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return { id, match: false, error: error.message };
  }
}

/** The name that the `event` filter compares. Null if rules of this target do not see the event. */
function eventTypeFor(target: Target, view: View): string | null {
  if (target === 'edr') return eventTypeOf(view);
  return target === 'detection' && typeof view.cat === 'string' ? view.cat : null;
}
