/**
 * Tokens: signed by JWT_SECRET (HS256), for one org, with the rights of the key that they were made with. Guarantees:
 *  - a token counts only while its key is there: a revoked, replaced or expired key ends its tokens at the next request;
 *  - its rights are those that the token names and the key still has;
 *  - a wrong key and an unknown org get the same answer, after the same work.
 */
import { createHmac, createSecretKey } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { ApiError } from '../errors.ts';
import type { ApiKey } from '../orgs/table.ts';
import type { ApiPorts } from './ports.ts';

/** Who asks: the name of the key, the orgs that it opens, its rights, and until when (Unix ms). */
export type Identity = {
  keyName: string;
  /** Tells the key from another one of the same name. */
  keyMark: string;
  oids: readonly string[];
  rights: ReadonlySet<string>;
  expiresAtMs: number;
};

export type TokenRequest = {
  oid: string;
  secret: string;
  uid?: string | undefined;
  expirySeconds?: number | undefined;
};

const LIFE_SECONDS = 3_600;
const LIFE_MAX_SECONDS = 86_400;

export type Tokens = {
  /** A token for a key. Throws `key_invalid`, or `bad_request` for an expiry that is over. */
  issue(request: TokenRequest): Promise<string>;
  /** Who the Authorization header names. Throws `token_missing` or `token_invalid`. */
  verify(authorization: string | undefined): Promise<Identity>;
  /** Whether the key of an identity is still there; for answers that last. */
  stands(identity: Identity): boolean;
};

export function createTokens(ports: Pick<ApiPorts, 'config' | 'orgs' | 'keyNamed' | 'nowMs'>): Tokens {
  const secret = createSecretKey(Buffer.from(ports.config.JWT_SECRET));
  /** Ties a token to the very key, not to its name alone; says nothing about the key without our secret. */
  const markOf = (key: ApiKey) =>
    createHmac('sha256', secret).update(`${key.oid}/${key.hash}`).digest('base64url').slice(0, 22);

  function liveKey(oid: string, name: string, mark: string): ApiKey | undefined {
    const key = ports.orgs.known(oid) ? ports.keyNamed(oid, name) : undefined;
    if (!key || markOf(key) !== mark) return undefined;
    return key.expiresAtMs === undefined || ports.nowMs() < key.expiresAtMs ? key : undefined;
  }

  return {
    async issue({ oid, secret: keyText, uid, expirySeconds }) {
      const nowSeconds = Math.floor(ports.nowMs() / 1000);
      const key = ports.orgs.findKey(oid, keyText, ports.nowMs());
      if (!key || !ports.orgs.known(oid) || (uid !== undefined && uid !== key.uid))
        throw new ApiError('key_invalid', 'This org and this API key do not belong together: check oid and secret.');
      if (expirySeconds !== undefined && expirySeconds <= nowSeconds)
        throw new ApiError('bad_request', 'expiry must be a time to come, in Unix seconds.');
      const exp = Math.min(expirySeconds ?? nowSeconds + LIFE_SECONDS, nowSeconds + LIFE_MAX_SECONDS);
      return new SignJWT({ oid, perms: key.perms, key: markOf(key) })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setSubject(key.name)
        .setIssuedAt(nowSeconds)
        .setExpirationTime(exp)
        .sign(secret);
    },

    async verify(authorization) {
      const token = bearerOf(authorization);
      const claims = await claimsOf(token, secret, ports.nowMs());
      const key = liveKey(claims.oid, claims.sub, claims.key);
      if (!key)
        throw new ApiError('token_invalid', 'The API key of this token is not there any more: use another key.');
      const rights = new Set(claims.perms.filter((right) => key.perms.includes(right)));
      return { keyName: claims.sub, keyMark: claims.key, oids: [claims.oid], rights, expiresAtMs: claims.exp * 1000 };
    },

    stands: ({ oids, keyName, keyMark, expiresAtMs }) =>
      ports.nowMs() < expiresAtMs && oids.every((oid) => liveKey(oid, keyName, keyMark) !== undefined),
  };
}

function bearerOf(authorization: string | undefined): string {
  const token = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  if (token !== undefined) return token;
  throw new ApiError(
    'token_missing',
    'Send the header Authorization: Bearer TOKEN; POST / gives a token for an API key.',
  );
}

type Claims = { sub: string; oid: string; perms: string[]; exp: number; key: string };

async function claimsOf(token: string, secret: ReturnType<typeof createSecretKey>, nowMs: number): Promise<Claims> {
  const refusal = 'The token is malformed, expired or not from this server: get a new one by POST /.';
  try {
    const options = { algorithms: ['HS256'], requiredClaims: ['sub', 'exp', 'oid'], currentDate: new Date(nowMs) };
    const { payload } = await jwtVerify(token, secret, options);
    const { sub, oid, perms, exp, key } = payload;
    if (typeof oid === 'string' && typeof key === 'string' && Array.isArray(perms))
      return { sub: sub as string, oid, perms: perms.map(String), exp: exp as number, key };
  } catch (cause) {
    throw new ApiError('token_invalid', refusal, { cause });
  }
  throw new ApiError('token_invalid', refusal);
}
