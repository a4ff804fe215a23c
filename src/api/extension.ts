/**
 * The request of the extension: `POST /v1/extension/request/{name}`. Checked in this order, each before anything is
 * changed: the extension's name, the parts of the request, the org, the action, the right, the subscription, the data.
 */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../errors.ts';
import { EXTENSION } from '../orgs/table.ts';
import type { ActionResult, ApiContext } from './actions/context.ts';
import { ACTIONS } from './actions/table.ts';
import { notSubscribed, requireOrg, requireRight } from './authorize.ts';
import { readExtensionRequest } from './extension-request.ts';

type Request = Pick<FastifyRequest, 'identity' | 'logIds' | 'headers'> & {
  params: { name: string };
  query: Record<string, unknown>;
  body: Record<string, unknown>;
};

export async function handleExtensionRequest(context: ApiContext, request: Request, reply: FastifyReply) {
  const { name } = request.params;
  if (name !== EXTENSION)
    throw new ApiError('extension_unknown', `There is no extension of that name; ${EXTENSION} is the one here.`);
  const {
    oid,
    action: actionName,
    data,
  } = await readExtensionRequest(request.body, request.query, context.config.BODY_MAX_BYTES);
  requireOrg(request.identity, oid);
  request.logIds.oid = oid;
  const action = ACTIONS.get(actionName);
  if (!action)
    throw new ApiError('action_unknown', `There is no such action; there are ${[...ACTIONS.keys()].join(', ')}.`);
  request.logIds.action = actionName;
  requireRight(request.identity, oid, action.rights);
  if (!context.orgs.subscribed(oid, context.nowMs())) throw notSubscribed();
  const keyHeader = request.headers['idempotency-key'];
  const result = await action.run(data, {
    ...context,
    oid,
    keyName: request.identity.keyName,
    keyHeader: typeof keyHeader === 'string' ? keyHeader : undefined,
    logIds: request.logIds,
  });
  return send(result, reply);
}

async function send(result: ActionResult, reply: FastifyReply): Promise<FastifyReply> {
  reply.code(result.status).type('application/json; charset=utf-8');
  if ('data' in result) return reply.send({ error: '', version: 1, data: result.data });
  // The first piece is made before the head is sent: a fault up to there is an error answer, a later one breaks off.
  const first = await result.pieces.next();
  return reply.send(Readable.from(envelope(first, result.pieces), { objectMode: false }));
}

async function* envelope(first: IteratorResult<string>, rest: AsyncGenerator<string>): AsyncGenerator<string> {
  yield `{"error":"","version":1,"data":${first.done ? '{}' : first.value}`;
  yield* rest;
  yield '}';
}
