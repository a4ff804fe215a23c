/** The extension: what it is, its actions, and the live stream of what it does. */
import { Type } from '@sinclair/typebox';
import { NAME, NAME_PATTERN, OidParams, optional } from '../../command/fields.ts';
import { refuseFieldBeside } from '../../command/unknown-field.ts';
import { ApiError } from '../../errors.ts';
import { EXTENSION } from '../../orgs/table.ts';
import { readExtensionRequest } from '../actions/extension-request.ts';
import { DEFINITION, extensionSchema } from '../actions/extension-schema.ts';
import { runAction, sendResult } from '../actions/run-action.ts';
import { ACTIONS } from '../actions/table.ts';
import { requireOrg } from '../auth/admit.ts';
import { STREAM_RIGHTS } from '../events/event-stream.ts';
import { type Route, route } from '../http/route.ts';

const text = { expected: 'text, given once' };
const named = {
  oid: optional(Type.String(), { ...text, description: 'The org; in the body or in the query string.' }),
  action: optional(Type.String(), { ...text, description: 'What to do; in the body or in the query string.' }),
};

const narrow = (description: string) =>
  optional(Type.String({ pattern: `^$|${NAME_PATTERN}` }), { expected: `one id: ${NAME.expected}`, description });

const NameParams = Type.Object({ name: Type.String({ description: 'The extension.' }) });
const Fields = (description: string) => Type.Object({}, { additionalProperties: true, description });
const Envelope = (description: string) =>
  Type.Object(
    {
      error: Type.String({ description: 'Empty.' }),
      version: Type.Integer({ description: '1.' }),
      data: Fields('By action.'),
    },
    { description },
  );

/** Throws `extension_unknown`. */
function requireExtension(name: string): void {
  if (name !== EXTENSION) throw new ApiError('extension_unknown', `There is no extension ${name}: use ${EXTENSION}.`);
}

export const extensionRoutes: readonly Route[] = [
  route({
    method: 'GET',
    url: '/v1/extension/definition',
    rights: 'token',
    tag: 'extension',
    summary: 'Lists the extensions.',
    schema: { response: { 200: Fields('Definitions by name.') } },
    handle: async () => ({ [DEFINITION.name]: DEFINITION }),
  }),
  route({
    method: 'GET',
    url: '/v1/extension/definition/:name',
    rights: 'token',
    tag: 'extension',
    summary: 'Shows the definition of an extension.',
    schema: { params: NameParams, response: { 200: Fields('The definition.') } },
    handle: async (_parts, { params }) => {
      requireExtension(params.name);
      return DEFINITION;
    },
  }),
  route({
    method: 'GET',
    url: '/v1/extension/schema/:name',
    rights: 'token',
    tag: 'extension',
    summary: 'Shows the actions of an extension and their fields.',
    schema: {
      params: NameParams,
      querystring: Type.Object({ oid: optional(Type.String(), { ...text, description: 'An org of the token.' }) }),
      response: { 200: Fields('The schema.') },
    },
    handle: async (_parts, { params, query, identity }) => {
      requireExtension(params.name);
      if (query.oid) requireOrg(identity, query.oid);
      return extensionSchema();
    },
  }),
  route({
    method: 'POST',
    url: '/v1/extension/request/:name',
    rights: 'by action',
    tag: 'extension',
    summary: 'Runs an action of the extension.',
    schema: {
      params: NameParams,
      querystring: Type.Object(named),
      body: Type.Object({
        ...named,
        data: Type.Optional(Type.Unknown({ description: 'The data of the action: an object, or its JSON as text.' })),
        gzdata: optional(Type.String(), { ...text, description: 'The data as base64 of gzip of JSON.' }),
        impersonator_jwt: optional(Type.String(), { ...text, description: 'Ignored.' }),
      }),
      response: {
        200: Envelope('Applied.'),
        202: Envelope('Accepted; it will be applied.'),
      },
    },
    handle: async ({ context }, request, reply) => {
      requireExtension(request.params.name);
      const asked = await readExtensionRequest(request.body, request.query, {
        maxBytes: context.config.BODY_MAX_BYTES,
        held: request.held,
      });
      const fields = Object.keys(ACTIONS.get(asked.action)?.schema.properties ?? {});
      for (const beside of [request.body, request.query]) refuseFieldBeside(asked.action, fields, beside);
      return sendResult(await runAction(context, request, asked), reply, '{"error":"","version":1,"data":', '}');
    },
  }),
  route({
    method: 'GET',
    url: '/v1/orgs/:oid/events',
    rights: STREAM_RIGHTS,
    tag: 'extension',
    summary: 'Streams task events, as Server-Sent Events.',
    produces: 'text/event-stream',
    schema: {
      params: OidParams,
      querystring: Type.Object({ task_id: narrow('Events of this task alone.'), sid: narrow('Of this sensor alone.') }),
      response: { 200: Type.String({ description: 'Events, until one side ends the stream.' }) },
    },
    handle: ({ streams }, request, reply) => {
      const { task_id, sid } = request.query;
      streams.open(request, reply, { taskId: task_id || null, sid: sid || null });
      return reply;
    },
  }),
];
