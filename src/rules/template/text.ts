/** Texts of templates: how a value is rendered, and the maximum length. */
import { RULE_BOUNDS } from '../bounds.ts';
import { RuleFault } from '../errors.ts';

/** Numbers with all digits, objects and lists as JSON, the empty text for a missing value. */
export function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Throws a RuleFault for a text that is longer than the output of a template may be. */
export function refuseLonger(characters: number): void {
  if (characters > RULE_BOUNDS.renderedLength) throw new RuleFault('The output of a template is too long.');
}
