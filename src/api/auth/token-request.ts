/** The request for a token: an API key of an org for a token of that org; a user key for one of all its orgs, or of none. */
import { ApiError } from '../../errors.ts';
import type { TokenLimit } from './token-limit.ts';
import type { Tokens } from './tokens.ts';

type Field<T> = T | null | undefined;
type TokenFields = { oid?: Field<string>; secret?: Field<string>; uid?: Field<string>; expiry?: Field<number> };

export async function handleTokenRequest(
  { tokens, tokenLimit }: { tokens: Tokens; tokenLimit: TokenLimit },
  address: string,
  { oid, secret, uid, expiry }: TokenFields,
): Promise<{ jwt: string }> {
  if (!secret || (!oid && !uid))
    throw new ApiError(
      'bad_request',
      'Send oid (the org) and secret (an API key of it); with a user key uid and secret.',
    );
  const request = { oid: oid || undefined, uid: uid || undefined, expirySeconds: expiry ?? undefined };
  const asking = { address, oid: oid || '', uid: uid || '' };
  tokenLimit.admit(asking);
  try {
    return { jwt: await tokens.issue({ secret, ...request }) };
  } catch (error) {
    if (error instanceof ApiError && error.code === 'key_invalid') await tokenLimit.failed(asking);
    throw error;
  }
}
