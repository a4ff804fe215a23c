/** The request for a token: an API key of an org for a token of that org. */
import { ApiError } from '../errors.ts';
import type { Tokens } from './tokens.ts';

type Field<T> = T | null | undefined;
type TokenFields = { oid?: Field<string>; secret?: Field<string>; uid?: Field<string>; expiry?: Field<number> };

export async function handleTokenRequest(
  tokens: Tokens,
  { oid, secret, uid, expiry }: TokenFields,
): Promise<{ jwt: string }> {
  if (!oid || !secret) throw new ApiError('bad_request', 'Send oid (the org) and secret (an API key of it).');
  return { jwt: await tokens.issue({ oid, secret, uid: uid || undefined, expirySeconds: expiry ?? undefined }) };
}
