/**
 * Reads what forms, query strings and paths say as text into what a schema asks for: numbers, booleans (Python's `True` and
 * `False` too), lists of one. What does not read as such stays as it is, so that the check after it refuses it. Pure.
 */
import type { TObject, TSchema } from '@sinclair/typebox';

type Fields = Record<string, unknown>;

/** `fields` as the schema names them; an empty text for a number or a boolean is as good as nothing. */
export function coerce(schema: TObject, fields: Fields): Fields {
  const read: Fields = { ...fields };
  for (const [name, field] of Object.entries(schema.properties)) {
    if (!Object.hasOwn(fields, name)) continue;
    const value = coerceValue(field, fields[name]);
    if (value === undefined) delete read[name];
    else read[name] = value;
  }
  return read;
}

function coerceValue(schema: TSchema, value: unknown): unknown {
  const kinds = kindsOf(schema);
  if (kinds.has('array') && value !== null && !Array.isArray(value)) return [value];
  if (typeof value !== 'string' || kinds.has('string') || kinds.size === 0) return value;
  const isText = kinds.has('number') || kinds.has('integer') || kinds.has('boolean');
  if (value === '' && isText) return undefined;
  if ((kinds.has('integer') || kinds.has('number')) && /^-?\d{1,15}$/.test(value)) return Number(value);
  if (kinds.has('boolean') && /^(true|false)$/i.test(value)) return value.toLowerCase() === 'true';
  return value;
}

/** The JSON types that a schema takes; none where it takes anything. */
export function kindsOf(schema: TSchema): Set<string> {
  const variants = schema.anyOf as TSchema[] | undefined;
  if (variants !== undefined) return new Set(variants.flatMap((variant) => [...kindsOf(variant)]));
  return new Set(typeof schema.type === 'string' ? [schema.type] : []);
}
