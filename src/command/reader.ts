/**
 * Makes the function that checks values with a schema. It returns the value as typed by the schema, or throws an ApiError that names
 * the first wrong field and says what it must be. Schemas carry that text as `expected`, and the error code if it is not the common
 * one. Forms and query strings are text: their fields are converted first. Pure.
 */
import type { Static, TObject, TSchema } from '@sinclair/typebox';
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler';
import { ApiError, type ErrorCode } from '../errors.ts';

/** What a person reads when a field is wrong, and the error code. */
export type Note = { expected: string; code?: ErrorCode; missing?: ErrorCode; description: string };

/** `whole`: the error sentence for a value that is not an object. */
export function readerOf<T extends TObject>(
  schema: T,
  common: ErrorCode = 'data_invalid',
  whole = 'data must be a JSON object.',
): (data: unknown) => Static<T> {
  const check = TypeCompiler.Compile(schema);
  return (data) => {
    if (check.Check(data)) return data;
    throw faultOf(schema, check, data, common, whole);
  };
}

type Checked = { value: unknown } | { error: ApiError };

/** What fastify calls for each part of a route. */
export function validatorCompiler({ schema, httpPart }: { schema: TObject; httpPart?: string }) {
  const whole = httpPart === 'body' ? 'The body must be a form or a JSON object.' : 'The request has no such part.';
  const read = readerOf(schema, 'bad_request', whole);
  return (value: unknown): Checked => {
    try {
      const fields = value ?? {};
      if (typeof fields !== 'object' || Array.isArray(fields)) return { value: read(fields) };
      for (const [name, field] of Object.entries(fields)) refuseTexts(name, field);
      return { value: read(coerce(schema, fields as Record<string, unknown>)) };
    } catch (error) {
      if (error instanceof ApiError) return { error };
      throw error;
    }
  };
}

function refuseTexts(name: string, field: unknown): void {
  for (const text of Array.isArray(field) ? field : [field]) if (typeof text === 'string') refuseUnstorable(name, text);
}

function faultOf<T extends TObject>(
  schema: T,
  check: TypeCheck<T>,
  data: unknown,
  common: ErrorCode,
  whole: string,
): ApiError {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return new ApiError(common, whole);
  const field = check.Errors(data).First()?.path.split('/')[1] ?? '';
  const note = schema.properties[field] as (TSchema & Partial<Note>) | undefined;
  const value = (data as Record<string, unknown>)[field];
  const isMissing = value === undefined || value === null || value === '';
  const code = (isMissing ? note?.missing : undefined) ?? note?.code ?? common;
  const verb = isMissing ? 'is missing: it' : '';
  return new ApiError(code, `${[field, verb].filter(Boolean).join(' ')} must be ${note?.expected ?? 'another value'}.`);
}

type Fields = Record<string, unknown>;

/** Converts text into what the schema expects: numbers, booleans (Python's `True` and `False` too), lists of one. A text that can't be
 *  converted stays, and the check refuses it. An empty text for a number or a boolean counts as a field that is left out. */
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

/** The JSON types that a schema accepts; empty if it accepts anything. */
export function kindsOf(schema: TSchema): Set<string> {
  const variants = schema.anyOf as TSchema[] | undefined;
  if (variants !== undefined) return new Set(variants.flatMap((variant) => [...kindsOf(variant)]));
  return new Set(typeof schema.type === 'string' ? [schema.type] : []);
}

/** Kafka, Redis and the sensors would not return such a text as it was sent. Throws `data_invalid` for NUL and for half of a surrogate
 *  pair, which UTF-8 can't encode. */
export function refuseUnstorable(field: string, text: string): void {
  if (text.includes('\0')) throw new ApiError('data_invalid', `${field} must not contain the character NUL.`);
  if (!text.isWellFormed())
    throw new ApiError('data_invalid', `${field} must be valid Unicode text: it has half of a surrogate pair.`);
}

/** Throws `data_invalid` if the text has more than `maxBytes` bytes as UTF-8. */
export function refuseLonger(field: string, text: string, maxBytes: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes)
    throw new ApiError('data_invalid', `${field} has ${bytes} bytes; at most ${maxBytes} are allowed.`);
}
