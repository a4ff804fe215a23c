/**
 * One schema for the data of each action: it is what is checked, what the code's types are, and what a description of the
 * API is made from. Unknown fields are refused (command/unknown-field.ts); null is the same as a field that is left out. What a schema
 * can't say (one target at most, a selector that parses) is checked where the command is made.
 */
import { type Static, type TProperties, Type } from '@sinclair/typebox';
import { NAME, NAME_PATTERN, optional, page, sid } from './fields.ts';

const data = <T extends TProperties>(fields: T) => Type.Object(fields, { additionalProperties: false });

const target = {
  sid: optional(Type.String(), { ...NAME, code: 'sid_invalid', description: 'One sensor.' }),
  tag: optional(Type.String(), { expected: 'text', description: 'All sensors with this tag.' }),
  selector: optional(Type.String(), {
    expected: 'text',
    description: 'All sensors that it selects; `*` for every one.',
  }),
};

const taskId = { ...NAME, code: 'task_id_invalid', description: 'The id that task answered.' } as const;

export const TaskSchema = data({
  task: Type.String({
    minLength: 1,
    expected: 'text: the command line',
    missing: 'task_missing',
    description: 'The command line for the sensors.',
  }),
  ...target,
  plat: optional(Type.String(), { expected: 'the name of a platform', description: 'All sensors of this platform.' }),
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

export const ListSchema = data({
  ...target,
  ...page,
  state: optional(Type.Union([Type.Literal('pending'), Type.Literal('ended')]), {
    expected: 'pending or ended',
    description: 'Tasks that wait (this is the default), or those that have expired or were removed.',
  }),
});

const optionalName = optional(Type.String({ pattern: NAME_PATTERN }), taskId);

export const UntaskSchema = data({ task_id: optionalName, ...target });

export const GetSchema = data({
  task_id: Type.String({ pattern: NAME_PATTERN, ...taskId }),
  ...page,
});

export const WhySchema = data({ task_id: Type.String({ pattern: NAME_PATTERN, ...taskId }), sid });

export const PreviewSchema = data({ ...target, ...page });

export const ExplainSchema = data({
  selector: Type.String({ expected: 'text: a selector', description: 'The selector to explain.' }),
  sid,
});

export const SensorSchema = data({ sid });

export const ReceivedSchema = data({
  sid,
  inv_id: Type.String({
    minLength: 1,
    expected: 'text: the investigation_id of what the sensor has run',
    description: 'The investigation_id that the task was sent with, or its task_id.',
  }),
});

export type ListData = Static<typeof ListSchema>;
export type UntaskData = Static<typeof UntaskSchema>;
export type GetData = Static<typeof GetSchema>;
