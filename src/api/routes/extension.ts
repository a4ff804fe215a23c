/** The extension: its actions, and the live stream of what it does. */
import { Type } from '@sinclair/typebox';
import { STREAM_RIGHTS } from '../event-stream.ts';
import { handleExtensionRequest } from '../extension.ts';
import { NAME, NAME_PATTERN, OidParams, optional } from '../fields.ts';
import { type Route, route } from '../route.ts';

const text = { expected: 'text, given once' };
const named = {
  oid: optional(Type.String(), { ...text, description: 'The org; in the body or in the query string.' }),
  action: optional(Type.String(), { ...text, description: 'What to do; in the body or in the query string.' }),
};

const narrow = (description: string) =>
  optional(Type.String({ pattern: `^$|${NAME_PATTERN}` }), { expected: `one id: ${NAME.expected}`, description });

export const extensionRoutes: readonly Route[] = [
  route({
    method: 'POST',
    url: '/v1/extension/request/:name',
    rights: 'by action',
    tag: 'extension',
    summary: 'Runs an action of the extension.',
    schema: {
      params: Type.Object({ name: Type.String({ description: 'The extension.' }) }),
      querystring: Type.Object(named),
      body: Type.Object({
        ...named,
        data: Type.Optional(Type.Unknown({ description: 'The data of the action: an object, or its JSON as text.' })),
        gzdata: optional(Type.String(), { ...text, description: 'The same as base64 of gzip of JSON.' }),
        impersonator_jwt: optional(Type.String(), { ...text, description: 'A token of the one who is acted for.' }),
      }),
      response: {
        200: Type.Unknown({ description: 'Done, and applied.' }),
        202: Type.Unknown({ description: 'Accepted; it will be applied.' }),
      },
    },
    handle: ({ context }, request, reply) => handleExtensionRequest(context, request, reply),
  }),
  route({
    method: 'GET',
    url: '/v1/orgs/:oid/events',
    rights: STREAM_RIGHTS,
    tag: 'extension',
    summary: 'Task events as they happen, as Server-Sent Events.',
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
