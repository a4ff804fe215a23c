/**
 * The data of the actions that a rule can request too. What requests are checked with, the types of the code, and the
 * description of the API come from the same schema. Unknown fields are refused (unknown-field.ts); null is the same as a field
 * that is left out. What a schema can't express (one target at most, a selector that parses) is checked where the command is made.
 */
import { type TObject, type TProperties, Type } from '@sinclair/typebox';
import { NAME, NAME_PATTERN, optional, page, sid } from './fields.ts';

export const data = <T extends TProperties>(fields: T) => Type.Object(fields, { additionalProperties: false });

export const target = {
  sid: optional(Type.String(), { ...NAME, code: 'sid_invalid', description: 'One sensor.' }),
  tag: optional(Type.String(), { expected: 'text', description: 'All sensors with this tag.' }),
  selector: optional(Type.String(), {
    expected: 'text',
    description: 'All sensors that it selects; `*` for every one.',
  }),
};

export const taskId = { ...NAME, code: 'task_id_invalid', description: 'The id that task returned.' } as const;

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
    description: 'Returned in investigation_id of every answer of the sensor.',
  }),
  ttl: optional(Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: '^[0-9]{1,15}$' })]), {
    expected: 'a whole number of seconds, or its decimal text',
    code: 'ttl_invalid',
    description: 'How long it stays pending, in seconds; by default 604800.',
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
    description: 'Pending tasks (the default), or ended ones: expired or removed.',
  }),
});

const optionalName = optional(Type.String({ pattern: NAME_PATTERN }), taskId);

export const UntaskSchema = data({ task_id: optionalName, ...target });

export const SensorSchema = data({ sid });

export const ReceivedSchema = data({
  sid,
  inv_id: Type.String({
    minLength: 1,
    expected: 'text: the investigation_id of what the sensor has run',
    description: 'The investigation_id that the task was sent with, or its task_id.',
  }),
});

/** What a rule can request, by action. */
const RULE_SCHEMAS: Readonly<Record<string, TObject>> = {
  task: TaskSchema,
  untask: UntaskSchema,
  list: ListSchema,
  signal_attempt: SensorSchema,
  signal_received: ReceivedSchema,
};

/** The fields of each of these actions. */
export const RULE_REQUESTS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(RULE_SCHEMAS).map(([action, { properties }]) => [action, Object.keys(properties)]),
);
