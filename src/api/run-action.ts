/**
 * Runs an action of the extension, whichever call asked for it, and sends what it gives. Checked in this order, each before
 * anything is changed: the org, the action, the right, the subscription, the data.
 */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../errors.ts';
import type { ActionResult, ApiContext } from './actions/context.ts';
import { ACTIONS } from './actions/table.ts';
import { notSubscribed, requireOrg, requireRight } from './authorize.ts';

export type ActionRequest = { oid: string; action: string; data: unknown };
export type Caller = Pick<FastifyRequest, 'identity' | 'logIds' | 'headers'>;

export async function runAction(context: ApiContext, caller: Caller, asked: ActionRequest): Promise<ActionResult> {
  const { oid, action: name, data } = asked;
  const { identity, logIds, headers } = caller;
  requireOrg(identity, oid);
  logIds.oid = oid;
  const action = ACTIONS.get(name);
  if (!action)
    throw new ApiError('action_unknown', `There is no such action; there are ${[...ACTIONS.keys()].join(', ')}.`);
  logIds.action = name;
  requireRight(identity, oid, action.rights);
  if (!context.orgs.subscribed(oid, context.nowMs())) throw notSubscribed();
  const key = headers['idempotency-key'];
  const keyHeader = typeof key === 'string' ? key : undefined;
  return action.run(data, { ...context, oid, keyName: identity.keyName, keyHeader, logIds });
}

/** Sends the data of a result between `before` and `after`, which together with it make JSON. */
export async function sendResult(
  result: ActionResult,
  reply: FastifyReply,
  before = '',
  after = '',
): Promise<FastifyReply> {
  reply.code(result.status).type('application/json; charset=utf-8');
  if ('data' in result) return reply.send(before + JSON.stringify(result.data) + after);
  // The first piece is made before the head is sent: a fault up to there is an error answer, a later one breaks off.
  const first = await result.pieces.next();
  return reply.send(Readable.from(around(before, first, result.pieces, after), { objectMode: false }));
}

async function* around(
  before: string,
  first: IteratorResult<string>,
  rest: AsyncGenerator<string>,
  after: string,
): AsyncGenerator<string> {
  yield before + (first.done ? '{}' : first.value);
  yield* rest;
  if (after !== '') yield after;
}
