/** What the extension tells of itself: its definition, and the fields of its actions as the public clients print them. Made
 *  from the schemas that requests are checked with. */
import type { TObject, TSchema } from '@sinclair/typebox';
import { kindsOf } from '../../command/coerce.ts';
import { EXTENSION } from '../../orgs/table.ts';
import { ACTIONS, type Action } from './table.ts';

export const DEFINITION = {
  name: EXTENSION,
  label: 'Reliable Tasking',
  description: 'Queues commands for sensors that may be offline, and sends them until they are acknowledged.',
  owner: '',
  is_public: true,
  tags: ['tasking', 'offline'],
};

/** Types that say more than JSON's. */
const DATA_TYPES: Readonly<Record<string, string>> = { sid: 'sid', tag: 'tag', selector: 'sensor_selector' };

/** Where one of several fields is enough. */
const ONE_OF: Readonly<Record<string, string[][]>> = { untask: [['task_id', 'sid', 'tag', 'selector']] };

export const extensionSchema = () => ({
  config_schema: { fields: {}, requirements: [] },
  request_schema: Object.fromEntries([...ACTIONS].map(([name, action]) => [name, actionSchema(name, action)])),
  required_events: ['subscribe', 'unsubscribe'],
});

const actionSchema = (name: string, { summary, schema, rights }: Action) => ({
  is_impersonated: false,
  is_user_facing: true,
  short_description: summary,
  long_description: `${summary} Needs the right ${rights.join(' or ')}.`,
  parameters: { fields: fieldsOf(schema), requirements: requirementsOf(name, schema) },
});

const fieldsOf = (schema: TObject) =>
  Object.fromEntries(
    Object.entries(schema.properties).map(([name, field]) => [
      name,
      { data_type: DATA_TYPES[name] ?? typeOf(field), description: field.description ?? '' },
    ]),
  );

/** The first type that the field takes, as JSON names it. */
const typeOf = (field: TSchema): string => [...kindsOf(field)].find((kind) => kind !== 'null') ?? 'string';

/** All of the outer list, one of each inner one. */
const requirementsOf = (name: string, schema: TObject): string[][] => [
  ...(schema.required ?? []).map((field) => [field]),
  ...(ONE_OF[name] ?? []),
];
