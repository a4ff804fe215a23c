/**
 * `POST /` and `POST /jwt`: a token for an API key. Clients post to the URL that is configured for tokens, with or without a path. The
 * key is read from the body only, since proxies log addresses.
 */
import { Type } from '@sinclair/typebox';
import { optional } from '../../command/fields.ts';
import { ApiError } from '../../errors.ts';
import { type Parts, type Route, route } from '../http/route.ts';

const whose = {
  oid: optional(Type.String(), {
    expected: 'text, given once',
    description: 'The org. A user key does not need it; `-` requests a token that only identifies its caller.',
  }),
  uid: optional(Type.String(), { expected: 'text, given once', description: 'The user of a user key.' }),
  expiry: optional(Type.Integer({ minimum: 0, maximum: 99_999_999_999 }), {
    expected: 'a time in whole Unix seconds',
    description: 'When the token expires: by default in an hour, at the latest in a day.',
  }),
};

const schema = {
  querystring: Type.Object(whose),
  body: Type.Object({
    ...whose,
    secret: optional(Type.String(), { expected: 'text, given once', description: 'The API key.' }),
  }),
  response: { 200: Type.Object({ jwt: Type.String({ description: 'The token.' }) }) },
};

/** The route needs no token, so its bodies are kept small. */
const BODY_MAX_BYTES = 65_536;

const IN_ADDRESS =
  'The secret is in the address, which logs keep: send it in the body, and replace the key if others can read such a log.';

const at = (url: string, summary: string): Route =>
  route({
    method: 'POST',
    url,
    rights: 'open',
    tag: 'tokens',
    summary,
    schema,
    bodyMax: BODY_MAX_BYTES,
    handle: (parts, request) => {
      if (Object.hasOwn(request.query as object, 'secret')) throw new ApiError('bad_request', IN_ADDRESS);
      return tokenFor(parts, request.ip, { ...request.query, ...request.body });
    },
  });

export const tokenRoutes: readonly Route[] = [
  at('/', 'Exchanges an API key for a token.'),
  at('/jwt', 'The same, at its own path.'),
];

type Field<T> = T | null | undefined;
type TokenFields = { oid?: Field<string>; secret?: Field<string>; uid?: Field<string>; expiry?: Field<number> };

/** An API key gets a token of its org; a user key gets one of all its orgs, of one of them, or of none. */
async function tokenFor(
  { tokens, tokenLimit }: Pick<Parts, 'tokens' | 'tokenLimit'>,
  address: string,
  { oid, secret, uid, expiry }: TokenFields,
): Promise<{ jwt: string }> {
  if (!secret || (!oid && !uid))
    throw new ApiError(
      'bad_request',
      'Send oid (the org) and secret (an API key of the org); for a user key, uid and secret.',
    );
  const request = { oid: oid || undefined, uid: uid || undefined, expirySeconds: expiry ?? undefined };
  const requester = { address, oid: oid || '', uid: uid || '' };
  tokenLimit.admit(requester);
  try {
    return { jwt: await tokens.issue({ secret, ...request }) };
  } catch (error) {
    if (error instanceof ApiError && error.code === 'key_invalid') await tokenLimit.failed(requester);
    throw error;
  }
}
