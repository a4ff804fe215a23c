/** The service that preceded the extension: the same actions, for older clients. */
import { Type } from '@sinclair/typebox';
import { OidParams, oid, optional } from '../../command/fields.ts';
import { ApiError } from '../../errors.ts';
import { runAction, sendResult } from '../actions/run-action.ts';
import { readServiceRequest } from '../actions/service-request.ts';
import { type Route, route } from '../http/route.ts';

export const SERVICE = 'reliable-tasking';

const data = Type.Object({}, { description: 'The data of the action, as in the answer of the extension.' });

export const serviceRoutes: readonly Route[] = [
  route({
    method: 'GET',
    url: '/v1/service/:oid',
    rights: 'token',
    tag: 'service',
    summary: 'Lists the services of the org.',
    schema: {
      params: OidParams,
      response: { 200: Type.Object({ replicants: Type.Array(Type.String(), { description: 'Their names.' }) }) },
    },
    handle: async () => ({ replicants: [SERVICE] }),
  }),
  route({
    method: 'POST',
    url: '/v1/service/:oid/:name',
    rights: 'by action',
    tag: 'service',
    summary: 'Runs an action, for older clients.',
    schema: {
      params: Type.Object({ oid, name: Type.String({ description: 'The service: reliable-tasking.' }) }),
      body: Type.Object({
        request_data: Type.String({
          minLength: 1,
          expected: 'text, given once: the base64 of a JSON object',
          code: 'data_invalid',
          description: 'Base64 of a JSON object: `action`, and the fields of the action beside it.',
        }),
        is_async: optional(Type.Boolean(), {
          expected: 'True or False',
          description: 'Ignored: the answer is always sent.',
        }),
        jwt: optional(Type.String(), { expected: 'text, given once', description: 'Ignored.' }),
      }),
      response: { 200: data, 202: data },
    },
    handle: async ({ context }, request, reply) => {
      if (request.params.name !== SERVICE)
        throw new ApiError('extension_unknown', `There is no such service: use ${SERVICE}.`);
      const asked = { oid: request.oid, ...readServiceRequest(request.body.request_data) };
      return sendResult(await runAction(context, request, asked), reply);
    },
  }),
];
