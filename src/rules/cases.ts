/** Rule cases: a detect part and an event each, evaluated as the responder would. Total: a rule that is refused matches nothing
 *  and says why. */
import { compileDetect } from './compile.ts';
import { RuleError } from './errors.ts';
import { evaluate } from './evaluate.ts';
import { isObject } from './view.ts';

export type CaseVerdict = { id: unknown; match: boolean; error?: string };

/** `value`: `{id, rule, event, lookups?}`, lookups being name -> keys. */
export function evaluateCase(value: unknown, nowMs: number): CaseVerdict {
  const { id = null, rule, event, lookups } = isObject(value) ? value : ({} as Record<string, unknown>);
  try {
    const detect = compileDetect(rule, 'rule');
    if (detect.target !== 'edr') return { id, match: false };
    const lookup = (name: string) => {
      const found = isObject(lookups) && Object.hasOwn(lookups, name) ? lookups[name] : undefined;
      return isObject(found) ? found : undefined;
    };
    const { match, errors } = evaluate(detect, isObject(event) ? event : {}, { nowMs, lookups: lookup });
    return errors.length === 0 ? { id, match } : { id, match, error: errors.join(' ') };
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return { id, match: false, error: error.message };
  }
}
