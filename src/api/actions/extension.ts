/** The request of the extension: `POST /v1/extension/request/{name}`. The answer is the envelope that its clients know. */
import type { FastifyReply } from 'fastify';
import { refuseFieldBeside } from '../../command/unknown-field.ts';
import { ApiError } from '../../errors.ts';
import { EXTENSION } from '../../orgs/table.ts';
import type { HeldBytes } from '../http/body-budget.ts';
import type { ApiContext } from './context.ts';
import { readExtensionRequest } from './extension-request.ts';
import { type Caller, runAction, sendResult } from './run-action.ts';
import { ACTIONS } from './table.ts';

type Request = Caller & {
  held: HeldBytes;
  params: { name: string };
  query: Record<string, unknown>;
  body: Record<string, unknown>;
};

export async function handleExtensionRequest(context: ApiContext, request: Request, reply: FastifyReply) {
  requireExtension(request.params.name);
  const asked = await readExtensionRequest(request.body, request.query, {
    maxBytes: context.config.BODY_MAX_BYTES,
    held: request.held,
  });
  const fields = Object.keys(ACTIONS.get(asked.action)?.schema.properties ?? {});
  for (const beside of [request.body, request.query]) refuseFieldBeside(asked.action, fields, beside);
  return sendResult(await runAction(context, request, asked), reply, '{"error":"","version":1,"data":', '}');
}

/** Throws `extension_unknown`. */
export function requireExtension(name: string): void {
  if (name !== EXTENSION)
    throw new ApiError('extension_unknown', `There is no extension of that name; ${EXTENSION} is the one here.`);
}
