/**
 * Fields that an action does not have. A misspelt one that is ignored widens a request: `tags` for `tag` means every sensor.
 * So the first of them is refused, with the field that was most likely meant, before anything else of the data is read. Pure.
 */
import type { TObject } from '@sinclair/typebox';
import { ApiError } from '../errors.ts';
import { nearestOf } from '../selector/nearest.ts';

/** `nearest`: the field of the action that is most like it; null where none is. */
export type UnknownField = { field: string; nearest: string | null };

/** What fields of one action are called in another, or elsewhere. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  command: ['task'],
  inv_id: ['context'],
  investigation_id: ['context', 'inv_id'],
  context: ['inv_id'],
};

const SHOWN_MAX = 100;

/** The first field that the schema does not have; null where there is none, and where `data` is no object. */
export function unknownField({ properties }: TObject, data: unknown): UnknownField | null {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return null;
  const name = Object.keys(data).find((field) => !Object.hasOwn(properties, field));
  if (name === undefined) return null;
  const known = Object.keys(properties);
  const elsewhere = Object.hasOwn(ELSEWHERE, name) ? ELSEWHERE[name] : undefined;
  const nearest = elsewhere?.find((field) => known.includes(field)) ?? nearestOf(name, known) ?? null;
  return { field: name.slice(0, SHOWN_MAX), nearest };
}

/** One sentence, or two: what is wrong, and what to write instead. `action` is its name. */
export const unknownFieldSentence = (action: string, { properties }: TObject, { field, nearest }: UnknownField) =>
  `The action ${action} has no field "${field}": ${
    nearest === null ? `its fields are ${Object.keys(properties).join(', ')}.` : `write "${nearest}", or leave it out.`
  }`;

/** Throws `field_unknown`. */
export function refuseUnknownField(action: string, schema: TObject, data: unknown): void {
  const unknown = unknownField(schema, data);
  if (unknown === null) return;
  throw new ApiError('field_unknown', unknownFieldSentence(action, schema, unknown), { data: unknown });
}
