/**
 * One schema for the data of each action: it is what is checked, what the code's types are, and what a description of the
 * API is made from. Unknown fields are ignored; null is the same as a field that is left out. What a schema can't say
 * (one target at most, a selector that parses) is checked where the command is made.
 */
import { type Static, type TObject, type TSchema, Type } from '@sinclair/typebox';
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler';
import { ApiError, type ErrorCode } from '../errors.ts';

/** What a person reads when a field is wrong, and the code that goes with it. */
type Note = { expected: string; code?: ErrorCode; missing?: ErrorCode; description: string };

const optional = <T extends TSchema>(schema: T, note: Note) => Type.Optional(Type.Union([schema, Type.Null()], note));

const NAME = { expected: '1 to 128 characters of A-Z a-z 0-9 . _ : -' };
const PAGE_MAX = 10_000;

const target = {
  sid: optional(Type.String(), { ...NAME, code: 'sid_invalid', description: 'One sensor.' }),
  tag: optional(Type.String(), { expected: 'text', description: 'All sensors with this tag.' }),
  selector: optional(Type.String(), {
    expected: 'text',
    description: 'All sensors that it selects; `*` for every one.',
  }),
};

const page = {
  limit: optional(Type.Integer({ minimum: 1, maximum: PAGE_MAX }), {
    expected: `a whole number from 1 to ${PAGE_MAX}`,
    description: 'At most so many entries.',
  }),
  cursor: optional(Type.String(), { expected: 'the next_cursor of an earlier answer', description: 'Where to go on.' }),
};

const taskId = { ...NAME, code: 'task_id_invalid', description: 'The id that task answered.' } as const;

export const TaskSchema = Type.Object({
  task: Type.String({
    minLength: 1,
    expected: 'text: the command line',
    missing: 'task_missing',
    description: 'The command line for the sensors.',
  }),
  ...target,
  context: optional(Type.String(), {
    expected: 'text',
    description: 'Comes back in investigation_id of every answer.',
  }),
  ttl: optional(Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: '^[0-9]{1,15}$' })]), {
    expected: 'a whole number of seconds, or its decimal text',
    code: 'ttl_invalid',
    description: 'How long it waits, in seconds; 604800 where it is not given.',
  }),
  idempotency_key: optional(Type.String(), {
    expected: 'text',
    description: 'With the same key a retry is the same task.',
  }),
});

export const ListSchema = Type.Object({
  ...target,
  ...page,
  state: optional(Type.Union([Type.Literal('pending'), Type.Literal('ended')]), {
    expected: 'pending or ended',
    description: 'Tasks that wait (this is the default), or those that have expired or were removed.',
  }),
});

const optionalName = optional(Type.String({ pattern: '^[A-Za-z0-9._:-]{1,128}$' }), taskId);

export const UntaskSchema = Type.Object({ task_id: optionalName, ...target });

export const GetSchema = Type.Object({
  task_id: Type.String({ pattern: '^[A-Za-z0-9._:-]{1,128}$', ...taskId }),
  ...page,
});

export type ListData = Static<typeof ListSchema>;
export type UntaskData = Static<typeof UntaskSchema>;
export type GetData = Static<typeof GetSchema>;

/** Makes a reader: it gives the data as typed by the schema, or throws an ApiError that names the first wrong field. */
export function readerOf<T extends TObject>(schema: T): (data: unknown) => Static<T> {
  const check = TypeCompiler.Compile(schema);
  return (data) => {
    if (check.Check(data)) return data;
    throw faultOf(schema, check, data);
  };
}

function faultOf<T extends TObject>(schema: T, check: TypeCheck<T>, data: unknown): ApiError {
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    return new ApiError('data_invalid', 'data must be a JSON object.');
  const field = check.Errors(data).First()?.path.split('/')[1] ?? '';
  const note = schema.properties[field] as (TSchema & Partial<Note>) | undefined;
  const value = (data as Record<string, unknown>)[field];
  const isMissing = value === undefined || value === null || value === '';
  const code = (isMissing ? note?.missing : undefined) ?? note?.code ?? 'data_invalid';
  const verb = isMissing ? 'is missing: it' : '';
  return new ApiError(code, `${[field, verb].filter(Boolean).join(' ')} must be ${note?.expected ?? 'another value'}.`);
}
