/** `POST /` and `POST /jwt`: an API key for a token. */
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../errors.ts';
import type { Tokens } from './tokens.ts';

export async function handleTokenRequest(tokens: Tokens, request: FastifyRequest): Promise<{ jwt: string }> {
  const fields = { ...(request.query as object), ...((request.body ?? {}) as object) } as Record<string, unknown>;
  const oid = textOf(fields, 'oid');
  const secret = textOf(fields, 'secret');
  if (!oid || !secret) throw new ApiError('bad_request', 'Send oid (the org) and secret (an API key of it).');
  const uid = textOf(fields, 'uid');
  return { jwt: await tokens.issue({ oid, secret, uid, expirySeconds: expiryOf(fields.expiry) }) };
}

function textOf(fields: Record<string, unknown>, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw new ApiError('bad_request', `${name} must be text, given once.`);
}

function expiryOf(value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const seconds = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof seconds === 'number' && Number.isSafeInteger(seconds)) return seconds;
  throw new ApiError('bad_request', 'expiry must be a time in whole Unix seconds.');
}
