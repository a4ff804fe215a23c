/**
 * Limits the requests of a key: RATE_LIMIT_PER_MINUTE in a minute that starts with its first request, counted in Redis for all API
 * processes together. If Redis is unavailable or slow, requests are not limited: the limit protects the service, and no guarantee
 * depends on it.
 */
import { ApiError } from '../../errors.ts';
import type { ApiPorts } from '../ports.ts';
import { within } from '../reads.ts';
import type { Identity } from './tokens.ts';

export const WINDOW_SECONDS = 60;
/** The longest time that a request waits for its count. */
export const COUNT_MS = 250;

export type RateLimit = (identity: Identity) => Promise<void>;

/** Counts a request; rejects with `rate_limited`. A limit of 0 means no limit. */
export function createRateLimit({ config, keyUse, log }: Pick<ApiPorts, 'config' | 'keyUse' | 'log'>): RateLimit {
  const quota = config.RATE_LIMIT_PER_MINUTE;
  if (quota === 0) return async () => {};
  return async ({ credential }) => {
    const counted = await within(COUNT_MS, 'Redis', keyUse.count(credential, WINDOW_SECONDS * 1000)).catch((error) => {
      log.debug({ err: error }, 'request not counted: the rate limit does not apply to it');
      return null;
    });
    if (counted !== null && counted.requests > quota) throw limited(quota, Math.ceil(counted.leftMs / 1000));
  };
}

function limited(quota: number, retryAfterSeconds: number): ApiError {
  const sentence = `This key may make ${quota} requests in ${WINDOW_SECONDS} s: try again in ${retryAfterSeconds} s.`;
  return new ApiError('rate_limited', sentence, {
    retryAfterSeconds,
    // Clients look for these names in exactly this case, and read them as a refusal on any answer.
    headers: { 'X-RateLimit-Quota': String(quota), 'X-RateLimit-Period': String(WINDOW_SECONDS) },
  });
}
