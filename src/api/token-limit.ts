/**
 * How many requests for a token may fail in a minute: TOKEN_FAILURES_PER_MINUTE from one address, and as many for one org or
 * user, counted in Redis for all API processes together. Requests that are right are never counted and never refused: nobody
 * can lock others out, not even behind the same proxy. A Redis that is away or slow refuses nobody.
 */
import { ApiError } from '../errors.ts';
import { hashOf } from '../model/ids.ts';
import type { ApiPorts } from './ports.ts';
import { COUNT_MS, WINDOW_SECONDS } from './rate-limit.ts';
import { within } from './within.ts';

/** Where a request came from, and whose token it asked for. */
export type Failed = { address: string; oid: string; uid: string };

/** Counts a request that failed; rejects with `rate_limited`. */
export type TokenLimit = (failed: Failed) => Promise<void>;

export function createTokenLimit({ config, keyUse, log }: Pick<ApiPorts, 'config' | 'keyUse' | 'log'>): TokenLimit {
  const quota = config.TOKEN_FAILURES_PER_MINUTE;
  if (quota === 0) return async () => {};
  return async ({ address, oid, uid }) => {
    const places = [hashOf('token from', address), hashOf('token for', oid, uid)];
    const counts = places.map((place) => keyUse.count(place, WINDOW_SECONDS * 1000));
    const counted = await within(COUNT_MS, 'Redis', Promise.all(counts)).catch((error) => {
      log.debug({ err: error }, 'a request was not counted');
      return [];
    });
    const over = counted.filter(({ requests }) => requests > quota);
    if (over.length > 0) throw limited(quota, Math.ceil(Math.max(...over.map(({ leftMs }) => leftMs)) / 1000));
  };
}

function limited(quota: number, retryAfterSeconds: number): ApiError {
  const sentence = `More than ${quota} requests for a token failed in ${WINDOW_SECONDS} s: check oid, secret and uid, and try again in ${retryAfterSeconds} s.`;
  return new ApiError('rate_limited', sentence, {
    retryAfterSeconds,
    headers: { 'X-RateLimit-Quota': String(quota), 'X-RateLimit-Period': String(WINDOW_SECONDS) },
  });
}
