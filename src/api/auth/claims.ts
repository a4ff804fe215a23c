/**
 * The claims of a token whose signature is valid. Our tokens are signed with JWT_SECRET (HS256), tokens of an issuer with a key of
 * JWKS_URL and public-key algorithms only, so that neither can pass for the other. The keys of an issuer sign for many services and,
 * with some providers, for many customers: only tokens of JWKS_ISSUER for JWKS_AUDIENCE are accepted.
 */
import type { KeyObject } from 'node:crypto';
import { decodeProtectedHeader, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { ApiError } from '../../errors.ts';

export type Claims = {
  /** The name of a key or a user for our tokens, `issuer|sub` for tokens of an issuer. */
  sub: string;
  /** The orgs that it names, as `oid` or `oids`. */
  oids: string[];
  /** The same for all orgs, or by org. */
  perms: string[] | Map<string, string[]>;
  expiresAtMs: number;
  /** Our tokens only: the key that it was issued for, and orgs of that key. */
  key?: { mark: string; home: string[] };
};

export type Issuer = {
  /** Rejects with `unavailable` if the issuer does not answer. */
  keys: JWTVerifyGetKey;
  /** What `iss` and `aud` must say. */
  name: string;
  audience: string;
  /** From `iat` to `exp` at most. */
  maxSeconds: number;
};

export type Verifiers = {
  /** null: no tokens of ours. */
  secret: KeyObject | null;
  /** null: no issuer. */
  issuer: Issuer | null;
};

const PUBLIC_KEY = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/** How far the clock of an issuer may be ahead of ours. */
const AHEAD_SECONDS = 60;
/** Of `issuer|sub`: as long as the `issued_by` of a record. */
const AUTHOR_MAX_BYTES = 1_024;

const REFUSAL = 'The token is malformed, expired, or not issued for this server: get a new one.';

/** Throws `token_missing`, `token_invalid`, or `unavailable`. */
export async function readClaims(
  authorization: string | undefined,
  verifiers: Verifiers,
  nowMs: number,
): Promise<Claims> {
  const token = bearerOf(authorization);
  try {
    const isOurs = decodeProtectedHeader(token).alg === 'HS256';
    const claims = isOurs ? await ours(token, verifiers, nowMs) : await issuers(token, verifiers, nowMs);
    if (claims !== null) return claims;
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    throw new ApiError('token_invalid', REFUSAL, { cause });
  }
  throw new ApiError('token_invalid', REFUSAL);
}

function bearerOf(authorization: string | undefined): string {
  const token = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  if (token !== undefined) return token;
  throw new ApiError(
    'token_missing',
    'Send the header Authorization: Bearer TOKEN; POST / exchanges an API key for a token.',
  );
}

const optionsOf = (algorithms: string[], nowMs: number) => ({
  algorithms,
  requiredClaims: ['sub', 'exp'],
  currentDate: new Date(nowMs),
});

async function ours(token: string, { secret }: Verifiers, nowMs: number): Promise<Claims | null> {
  if (secret === null) return null;
  const { payload } = await jwtVerify(token, secret, optionsOf(['HS256'], nowMs));
  const { key: mark, home } = payload;
  const claims = claimsOf(payload);
  if (claims === null || typeof mark !== 'string') return null;
  return { ...claims, key: { mark, home: textsOf(home) ?? claims.oids } };
}

async function issuers(token: string, { issuer }: Verifiers, nowMs: number): Promise<Claims | null> {
  if (issuer === null) return null;
  const { payload } = await jwtVerify(token, issuer.keys, {
    ...optionsOf(PUBLIC_KEY, nowMs),
    issuer: issuer.name,
    audience: issuer.audience,
  });
  const claims = claimsOf(payload);
  if (claims === null || !isShortLived(payload, issuer.maxSeconds, nowMs)) return null;
  const author = `${issuer.name}|${claims.sub}`;
  return isStorable(author) ? { ...claims, sub: author } : null;
}

/** An issuer's token cannot be revoked here, so its lifetime is limited. */
const isShortLived = ({ iat, exp }: JWTPayload, maxSeconds: number, nowMs: number): boolean =>
  typeof iat === 'number' && typeof exp === 'number' && exp - iat <= maxSeconds && iat <= nowMs / 1_000 + AHEAD_SECONDS;

const isStorable = (author: string): boolean =>
  Buffer.byteLength(author) <= AUTHOR_MAX_BYTES && author.isWellFormed() && !author.includes('\0');

function claimsOf({ sub, exp, oid, oids, perms }: JWTPayload): Claims | null {
  const named = typeof oid === 'string' ? [oid] : textsOf(oids);
  const rights = permsOf(perms);
  if (typeof sub !== 'string' || typeof exp !== 'number' || !named || !rights) return null;
  return { sub, oids: named, perms: rights, expiresAtMs: exp * 1000 };
}

const textsOf = (value: unknown): string[] | null =>
  Array.isArray(value) && value.every((text) => typeof text === 'string') ? value : null;

function permsOf(value: unknown): Claims['perms'] | null {
  if (Array.isArray(value)) return textsOf(value);
  if (typeof value !== 'object' || value === null) return null;
  // A Map, since an issuer may use the name of a built-in property of objects as an org.
  return new Map(Object.entries(value).map(([oid, perms]) => [oid, textsOf(perms) ?? []] as const));
}
