/**
 * Detects unknown fields in requests to the extension. Ignoring a misspelt field widens a request: with `tags` instead of `tag`
 * the target is every sensor. So the first unknown field is refused, with a suggestion, before any other check of the data. Pure.
 */
import { ApiError } from '../errors.ts';
import { nearestName } from '../text/nearest-name.ts';

/** `nearest`: the most similar field of the action; null if none is similar. */
export type UnknownField = { field: string; nearest: string | null };

/** Names that another action, or another system, uses for a field. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  command: ['task'],
  inv_id: ['context'],
  investigation_id: ['context', 'inv_id'],
  context: ['inv_id'],
};

const SHOWN_MAX = 100;

/** The first field that is not among `known`; null if there is none, or if `data` is not an object. */
export function unknownField(known: readonly string[], data: unknown): UnknownField | null {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return null;
  const name = Object.keys(data).find((field) => !known.includes(field));
  if (name === undefined) return null;
  const elsewhere = Object.hasOwn(ELSEWHERE, name) ? ELSEWHERE[name] : undefined;
  const nearest = elsewhere?.find((field) => known.includes(field)) ?? nearestName(name, known) ?? null;
  return { field: name.slice(0, SHOWN_MAX), nearest };
}

/** Throws `field_unknown` if a field of the action stands beside its data: it would be ignored, and the request would reach more
 *  sensors than intended. `beside`: all other fields of the request. */
export function refuseFieldBeside(action: string, known: readonly string[], beside: object): void {
  const field = known.find((name) => Object.hasOwn(beside, name));
  if (field === undefined) return;
  throw new ApiError(
    'field_unknown',
    `"${field}" is a field of the data of ${action}, but it is given beside the data: write it inside data.`,
    { data: { field, nearest: `data.${field}` } satisfies UnknownField },
  );
}

/** What is wrong, and what to write instead. `action` is its name. */
export const unknownFieldSentence = (action: string, known: readonly string[], { field, nearest }: UnknownField) =>
  `The action ${action} has no field "${field}": ${
    nearest === null ? `its fields are ${known.join(', ')}.` : `write "${nearest}", or leave it out.`
  }`;

/** Throws `field_unknown`. */
export function refuseUnknownField(action: string, known: readonly string[], data: unknown): void {
  const unknown = unknownField(known, data);
  if (unknown === null) return;
  throw new ApiError('field_unknown', unknownFieldSentence(action, known, unknown), { data: unknown });
}
