/** Rule cases: a detect part and an event each, evaluated as the responder would; for a rule on detections the event is one.
 *  Total: a rule that is refused matches nothing and says why. */
import { compileDetect, type Target } from './detect/compile-detect.ts';
import { evaluate } from './detect/evaluate.ts';
import { RuleError } from './errors.ts';
import { eventTypeOf, isObject, type View } from './view.ts';

export type CaseVerdict = { id: unknown; match: boolean; error?: string };

/** `value`: `{id, rule, event, lookups?}`, lookups being name -> keys. */
export function evaluateCase(value: unknown, nowMs: number): CaseVerdict {
  const { id = null, rule, event, lookups } = isObject(value) ? value : ({} as Record<string, unknown>);
  try {
    const detect = compileDetect(rule, 'rule');
    const view = isObject(event) ? event : {};
    const eventType = seenAs(detect.target, view);
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

/** The name that `event` is compared with; null where rules of this target do not see it. */
function seenAs(target: Target, view: View): string | null {
  if (target === 'edr') return eventTypeOf(view);
  return target === 'detection' && typeof view.cat === 'string' ? view.cat : null;
}
