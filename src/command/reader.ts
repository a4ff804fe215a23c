/**
 * From a schema to the function that checks values with it: it gives the value as typed by the schema, or an ApiError that
 * names the first wrong field and says what it must be. Schemas carry that text as `expected`, and where it is not the
 * common one, the error code.
 */
import type { Static, TObject, TSchema } from '@sinclair/typebox';
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler';
import { ApiError, type ErrorCode } from '../errors.ts';
import { coerce } from './coerce.ts';
import { refuseUnstorable } from './text.ts';

/** What a person reads when a field is wrong, and the code that goes with it. */
export type Note = { expected: string; code?: ErrorCode; missing?: ErrorCode; description: string };

/** `whole` says what the value must be as a whole, in the sentence for one that is no object. */
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

/** What fastify asks for each part of a route: texts are read as the schema says, then checked. */
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
