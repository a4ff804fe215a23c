/** The public keys of an issuer of tokens, fetched when they are first needed and again when a token names an unknown one. */
import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import { unavailable } from '../../errors.ts';

const TIMEOUT_MS = 3_000;

/** Rejects with `unavailable` if the issuer does not answer: then it is unknown whether a token is valid. */
export function issuerKeys(url: string): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(new URL(url), { timeoutDuration: TIMEOUT_MS });
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (cause) {
      if (cause instanceof errors.JWKSNoMatchingKey || cause instanceof errors.JWKSMultipleMatchingKeys) throw cause;
      if (cause instanceof errors.JOSENotSupported) throw cause;
      throw unavailable('The issuer of tokens (JWKS_URL) did not answer.', cause);
    }
  };
}
