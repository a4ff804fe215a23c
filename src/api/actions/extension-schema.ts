/** The definition of the extension, and the fields of its actions in the form that the public clients print. The fields come from the
 *  schemas that requests are checked with. */
import type { TObject, TSchema } from '@sinclair/typebox';
import { kindsOf } from '../../command/reader.ts';
import { EXTENSION } from '../../orgs/table.ts';
import type { Action } from './action.ts';
import { ACTIONS } from './table.ts';

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

export const extensionSchema = () => ({
  config_schema: { fields: {}, requirements: [] },
  request_schema: Object.fromEntries([...ACTIONS].map(([name, action]) => [name, actionSchema(action)])),
  required_events: ['subscribe', 'unsubscribe'],
});

const actionSchema = ({ summary, schema, rights, oneOf = [] }: Action) => ({
  is_impersonated: false,
  is_user_facing: true,
  short_description: summary,
  long_description: `${summary} Needs the right ${rights.join(' or ')}.`,
  // Of each inner list of requirements, one field is needed.
  parameters: {
    fields: fieldsOf(schema),
    requirements: [...(schema.required ?? []).map((field) => [field]), ...oneOf],
  },
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
