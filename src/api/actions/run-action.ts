/**
 * Runs an action of the extension for any call that requests it, and sends its result. It checks in this order, before anything is
 * changed: the org, the action, the right, the subscription, the names of the fields, the data.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { refuseUnknownField } from '../../command/unknown-field.ts';
import { ApiError } from '../../errors.ts';
import { notSubscribed, requireOrg, requireRight } from '../auth/admit.ts';
import { sendPieces } from '../http/json-stream.ts';
import type { ActionResult, ApiContext } from './action.ts';
import { ACTIONS } from './table.ts';

export type ActionRequest = { oid: string; action: string; data: unknown };
export type Caller = Pick<FastifyRequest, 'identity' | 'logIds' | 'headers'>;

export async function runAction(context: ApiContext, caller: Caller, asked: ActionRequest): Promise<ActionResult> {
  const { oid, action: name, data } = asked;
  const { identity, logIds, headers } = caller;
  requireOrg(identity, oid);
  logIds.oid = oid;
  const action = ACTIONS.get(name);
  if (!action)
    throw new ApiError('action_unknown', `There is no such action: use one of ${[...ACTIONS.keys()].join(', ')}.`);
  logIds.action = name;
  requireRight(identity, oid, action.rights);
  if (!context.orgs.subscribed(oid, context.nowMs())) throw notSubscribed();
  refuseUnknownField(name, Object.keys(action.schema.properties), data);
  const key = headers['idempotency-key'];
  const keyHeader = typeof key === 'string' ? key : undefined;
  return action.run(data, { ...context, oid, keyName: identity.keyName, keyHeader, logIds });
}

/** Sends `before`, the data of the result, and `after`: together they are JSON. */
export async function sendResult(
  result: ActionResult,
  reply: FastifyReply,
  before = '',
  after = '',
): Promise<FastifyReply> {
  reply.code(result.status).type('application/json; charset=utf-8');
  if ('data' in result) return reply.send(before + JSON.stringify(result.data) + after);
  return sendPieces(reply, around(before, result.pieces, after));
}

async function* around(before: string, pieces: AsyncGenerator<string>, after: string): AsyncGenerator<string> {
  const first = await pieces.next();
  yield before + (first.done ? '{}' : first.value);
  yield* pieces;
  if (after !== '') yield after;
}
