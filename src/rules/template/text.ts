/** Texts of templates: how a value looks in one, and how long one may be. */
import { RULE_BOUNDS } from '../bounds.ts';
import { RuleFault } from '../errors.ts';

/** Numbers in full, objects and lists as JSON, nothing for what is not there. */
export function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Throws a RuleFault for a text that would have more characters than a template may make. */
export function refuseLonger(characters: number): void {
  if (characters > RULE_BOUNDS.renderedLength) throw new RuleFault('A template made too long a text.');
}
