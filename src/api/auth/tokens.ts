/**
 * Tokens and the callers that they identify. Guarantees:
 *  - our token is valid in an org only as long as its key exists: when the key is revoked, replaced or expired, the next request is
 *    refused, and open streams end; its rights are those that the token names and the key still has, for each org;
 *  - an issuer's token (JWKS_URL) is valid until it expires, in the orgs that exist; its user is `issuer|sub`;
 *  - a user key is valid only with its uid, and a key of an org only without one;
 *  - a wrong key, a key of another org or user, and an unknown org get the same answer, after the same work.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { ApiError } from '../../errors.ts';
import { hashOf } from '../../model/ids.ts';
import { type ApiKey, hashOfKey, isLive } from '../../orgs/table.ts';
import type { ApiPorts } from '../ports.ts';
import { type Claims, readClaims } from './claims.ts';

/** The caller of a request. */
export type Identity = {
  /** The name of the key, the user of a user key, or `issuer|sub`; for records and logs. */
  keyName: string;
  /** The same for all tokens of one key, and only for those; reveals nothing about the key. */
  credential: string;
  /** The key that our token was issued for, in one of its orgs; null for an issuer's token. */
  key: ApiKey | null;
  oids: readonly string[];
  /** By org, for each of `oids`. */
  rights: ReadonlyMap<string, ReadonlySet<string>>;
  /** Unix ms. */
  expiresAtMs: number;
};

export type TokenRequest = {
  /** `-`: a token that only identifies its caller. Not given: every org of a user key. */
  oid: string | undefined;
  secret: string;
  uid: string | undefined;
  /** When it ends, Unix seconds. */
  expirySeconds: number | undefined;
};

export type Tokens = {
  /** A token for a key. Throws `key_invalid`, or `bad_request` for an expiry in the past and for too many orgs. */
  issue(request: TokenRequest): Promise<string>;
  /** Who the Authorization header names. Throws `token_missing`, `token_invalid`, or `unavailable` (the issuer does not answer). */
  verify(authorization: string | undefined): Promise<Identity>;
  /** Whether the caller still has one of the rights in the org; for streams. */
  stands(identity: Identity, oid: string, rights: readonly string[]): boolean;
};

/** No org; asks for a token without rights. */
const NO_ORG = '-';
const LIFE_SECONDS = 3_600;
const LIFE_MAX_SECONDS = 86_400;
/** A token travels in a header, and servers take 16 KiB of those. */
const ORGS_MAX = 200;
const HOME_MAX = 20;

export function createTokens(ports: Pick<ApiPorts, 'config' | 'orgs' | 'issuer' | 'nowMs'>): Tokens {
  const { orgs, nowMs } = ports;
  const secret = ports.config.JWT_SECRET === '' ? null : createSecretKey(Buffer.from(ports.config.JWT_SECRET));
  const { JWKS_ISSUER: name, JWKS_AUDIENCE: audience, JWKS_MAX_SECONDS: maxSeconds } = ports.config;
  const verifiers = { secret, issuer: ports.issuer && { keys: ports.issuer, name, audience, maxSeconds } };
  const marks = new Marks(secret);

  const liveKey = (oid: string, mark: string): ApiKey | undefined =>
    orgs.known(oid) ? marks.find(orgs.keys(oid), mark, nowMs()) : undefined;

  function rightsIn(oid: string, { perms, key }: Pick<Claims, 'perms' | 'key'>): ReadonlySet<string> | null {
    const named = new Set(Array.isArray(perms) ? perms : perms.get(oid));
    if (!key) return orgs.known(oid) ? named : null;
    const live = liveKey(oid, key.mark);
    return live ? new Set(live.perms.filter((right) => named.has(right))) : null;
  }

  return {
    async issue({ oid, secret: keyText, uid, expirySeconds }) {
      if (secret === null)
        throw new ApiError('not_found', 'This server issues no tokens: get one from the issuer that it trusts.');
      const keys = orgs.keysWith({ hash: hashOfKey(keyText), ...(uid === undefined ? {} : { uid }) }, nowMs());
      const wanted = oid === undefined || oid === NO_ORG ? keys : keys.filter((key) => key.oid === oid);
      const [key] = wanted;
      if (!key)
        throw new ApiError(
          'key_invalid',
          'oid, secret and uid do not belong together: check them. A user key needs its uid.',
        );
      return new SignJWT({ ...orgClaims(oid, wanted), key: marks.of(key), ...(uid === undefined ? {} : { uid }) })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setSubject(uid ?? key.name)
        .setIssuedAt(Math.floor(nowMs() / 1000))
        .setExpirationTime(endOf(expirySeconds, Math.floor(nowMs() / 1000)))
        .sign(secret);
    },

    async verify(authorization) {
      const claims = await readClaims(authorization, verifiers, nowMs());
      const rights = new Map<string, ReadonlySet<string>>();
      for (const oid of claims.oids) {
        const found = rightsIn(oid, claims);
        if (found) rights.set(oid, found);
      }
      const { sub, key: made, expiresAtMs } = claims;
      const identity = { keyName: sub, oids: [...rights.keys()], rights, expiresAtMs };
      if (!made) return { ...identity, key: null, credential: hashOf('issuer', sub) };
      const key = made.home.map((oid) => liveKey(oid, made.mark)).find((found) => found !== undefined);
      if (key) return { ...identity, key, credential: made.mark };
      throw new ApiError('token_invalid', 'The API key of this token no longer exists: use another key.');
    },

    stands({ key, credential, rights, expiresAtMs }, oid, wanted) {
      if (nowMs() >= expiresAtMs) return false;
      const perms = [...(rights.get(oid) ?? [])];
      const now = rightsIn(oid, key ? { perms, key: { mark: credential, home: [] } } : { perms });
      return now !== null && wanted.some((right) => now.has(right));
    },
  };
}

/** The orgs and rights of the token. `keys` are the keys of its orgs, at least one. */
function orgClaims(oid: string | undefined, keys: ApiKey[]): Record<string, unknown> {
  const oids = keys.map((key) => key.oid);
  if (oid === NO_ORG) return { oids: [], perms: [], home: oids.slice(0, HOME_MAX) };
  if (oid === undefined && oids.length > ORGS_MAX)
    throw new ApiError(
      'bad_request',
      `The key has access to ${oids.length} orgs, but a token can name at most ${ORGS_MAX}: request one org by oid.`,
    );
  const perms = [...new Set(keys.flatMap((key) => key.perms))];
  return oid === undefined ? { oids, perms } : { oid, perms };
}

function endOf(expirySeconds: number | undefined, nowSeconds: number): number {
  if (expirySeconds !== undefined && expirySeconds <= nowSeconds)
    throw new ApiError('bad_request', 'expiry must be in the future, in Unix seconds.');
  return Math.min(expirySeconds ?? nowSeconds + LIFE_SECONDS, nowSeconds + LIFE_MAX_SECONDS);
}

/** Binds a token to the key itself, not to its name. Without our secret a mark reveals nothing about the key. */
class Marks {
  readonly #secret: KeyObject | null;
  /** Every key in the table has one object until it is replaced. */
  readonly #known = new WeakMap<ApiKey, string>();

  constructor(secret: KeyObject | null) {
    this.#secret = secret;
  }

  of(key: ApiKey): string {
    const known = this.#known.get(key);
    if (known !== undefined || this.#secret === null) return known ?? '';
    const mark = createHmac('sha256', this.#secret)
      .update(`${key.hash} ${key.uid ?? ''}`)
      .digest('base64url')
      .slice(0, 22);
    this.#known.set(key, mark);
    return mark;
  }

  find(keys: Iterable<ApiKey>, mark: string, nowMs: number): ApiKey | undefined {
    for (const key of keys) if (isLive(key, nowMs) && this.of(key) === mark) return key;
    return undefined;
  }
}
