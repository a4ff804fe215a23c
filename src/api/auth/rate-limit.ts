/**
 * How many requests a key may make: RATE_LIMIT_PER_MINUTE in a minute that begins with its first one, counted in Redis for
 * all API processes together. A Redis that is away or slow refuses nobody: the limit protects the service, and no promise
 * rests on it.
 */
import { ApiError } from '../../errors.ts';
import { within } from '../http/within.ts';
import type { ApiPorts } from '../ports.ts';
import type { Identity } from './tokens.ts';

export const WINDOW_SECONDS = 60;
/** Longer than this no request waits for its count. */
export const COUNT_MS = 250;

export type RateLimit = (identity: Identity) => Promise<void>;

/** Counts a request; rejects with `rate_limited`. With a limit of 0 nothing is asked. */
export function createRateLimit({ config, keyUse, log }: Pick<ApiPorts, 'config' | 'keyUse' | 'log'>): RateLimit {
  const quota = config.RATE_LIMIT_PER_MINUTE;
  if (quota === 0) return async () => {};
  return async ({ credential }) => {
    const counted = await within(COUNT_MS, 'Redis', keyUse.count(credential, WINDOW_SECONDS * 1000)).catch((error) => {
      log.debug({ err: error }, 'a request was not counted');
      return null;
    });
    if (counted !== null && counted.requests > quota) throw limited(quota, Math.ceil(counted.leftMs / 1000));
  };
}

function limited(quota: number, retryAfterSeconds: number): ApiError {
  const sentence = `This key may make ${quota} requests in ${WINDOW_SECONDS} s: try again in ${retryAfterSeconds} s.`;
  return new ApiError('rate_limited', sentence, {
    retryAfterSeconds,
    // Clients look for these names in this very spelling, and take them for a refusal wherever they see them.
    headers: { 'X-RateLimit-Quota': String(quota), 'X-RateLimit-Period': String(WINDOW_SECONDS) },
  });
}
