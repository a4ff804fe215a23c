/**
 * How fast secrets can be guessed: TOKEN_FAILURES_PER_MINUTE requests for a token may fail in a minute from one address, and as
 * many for one name (a user, else an org) from all addresses together. Guarantees:
 *  - above the limit, requests are refused before their secret is checked, so that the answer reveals nothing about it;
 *  - the limit of a name applies only to addresses that have failed for it within the minute: someone who guesses secrets for a
 *    name cannot lock out a client with the right secret, unless both use the same address;
 *  - the address is that of the socket or, behind TRUSTED_PROXIES, the one that they name; for IPv6 it is the network.
 * Each process counts by itself, and reads the counts of the others from Redis at each failure. Without Redis it uses its own
 * counts.
 */
import { ApiError } from '../../errors.ts';
import { hashOf } from '../../model/ids.ts';
import type { ApiPorts } from '../ports.ts';
import { within } from '../reads.ts';
import { Failures } from './failures.ts';
import { networkOf } from './network.ts';
import { COUNT_MS, WINDOW_SECONDS } from './rate-limit.ts';

/** Addresses, names, and combinations of both that a process remembers: about 20 MB. */
const SUBJECTS_MAX = 100_000;

/** The address of a request, and the org or user whose token it requests; '' if absent. */
export type TokenRequester = { address: string; oid: string; uid: string };

export type TokenLimit = {
  /** Call before the secret is checked. Throws `rate_limited`. */
  admit(request: TokenRequester): void;
  /** Counts a request whose secret was wrong. */
  failed(request: TokenRequester): Promise<void>;
};

type LimitPorts = Pick<ApiPorts, 'config' | 'keyUse' | 'log' | 'nowMs'>;

export function createTokenLimit({ config, keyUse, log, nowMs }: LimitPorts): TokenLimit {
  const quota = config.TOKEN_FAILURES_PER_MINUTE;
  if (quota === 0) return { admit: () => {}, failed: async () => {} };
  const failures = new Failures(WINDOW_SECONDS * 1_000, SUBJECTS_MAX, nowMs);

  const share = async (subject: string): Promise<void> => {
    const { requests, leftMs } = await keyUse.count(subject, WINDOW_SECONDS * 1_000);
    failures.learn(subject, requests, leftMs);
  };

  return {
    admit(request) {
      const { address, name, both } = subjectsOf(request);
      const [byAddress, byName, byBoth] = [address, name, both].map((subject) => failures.of(subject)) as [Of, Of, Of];
      if (byAddress.failures >= quota) throw limited(quota, byAddress.leftMs);
      if (byName.failures >= quota && byBoth.failures > 0) throw limited(quota, Math.min(byName.leftMs, byBoth.leftMs));
    },

    async failed(request) {
      const { address, name, both } = subjectsOf(request);
      for (const subject of [address, name, both]) failures.add(subject);
      await within(COUNT_MS, 'Redis', Promise.all([share(address), share(name)])).catch((error) =>
        log.debug({ err: error }, 'failed token request counted in this process only, not in Redis'),
      );
    },
  };
}

type Of = ReturnType<Failures['of']>;

/** A user key is valid in all orgs of the user, so a guess counts for the user, whatever org it names. */
function subjectsOf({ address, oid, uid }: TokenRequester): Record<'address' | 'name' | 'both', string> {
  const network = networkOf(address);
  const name = uid === '' ? ['org', oid] : ['user', uid];
  return {
    address: hashOf('token from', network),
    name: hashOf('token for', ...name),
    both: hashOf('token from, for', network, ...name),
  };
}

function limited(quota: number, leftMs: number): ApiError {
  const retryAfterSeconds = Math.ceil(leftMs / 1_000);
  const sentence = `${quota} requests for a token failed within ${WINDOW_SECONDS} s: check oid, secret and uid, and try again in ${retryAfterSeconds} s.`;
  return new ApiError('rate_limited', sentence, {
    retryAfterSeconds,
    headers: { 'X-RateLimit-Quota': String(quota), 'X-RateLimit-Period': String(WINDOW_SECONDS) },
  });
}
