import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';
import { ApiError } from '../src/errors.ts';

const LEAST = { KAFKA_BROKERS: 'k:9092', REDIS_URL: 'redis://r:6379' };
const OID = '11111111-2222-4333-8444-555555555555';

const KEY = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';
const JWKS = {
  JWKS_URL: 'https://login.example.com/keys',
  JWKS_ISSUER: 'https://login.example.com/',
  JWKS_AUDIENCE: 'reliable-tasking',
};

function faults(env: Record<string, string>): string[] {
  try {
    readConfig({ ...LEAST, ...env });
  } catch (error) {
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).code).toBe('config_invalid');
    return (error as ApiError).message.split('\n');
  }
  return [];
}

describe('settings', () => {
  it('have defaults for all but the servers, and are frozen', () => {
    const config = readConfig(LEAST);
    expect(config).toMatchObject({
      CLAIM_LEASE_MS: 1_000,
      EXPIRY_MARGIN_MS: 50,
      KAFKA_SSL: false,
      TOPICS_CREATE: true,
    });
    expect(Object.isFrozen(config)).toBe(true);
    expect(() => Object.assign(config, { CLAIM_LEASE_MS: 1 })).toThrow(TypeError);
  });

  it('take an empty text as unset', () => {
    expect(readConfig({ ...LEAST, CLAIM_LEASE_MS: '', TOPICS_CREATE: '' })).toEqual(readConfig(LEAST));
  });

  it.each([
    ['JWT_SECRET', {}],
    ['BOOTSTRAP_API_KEY', { BOOTSTRAP_OID: OID }],
  ])('refuse a %s that can be guessed, and do not repeat it', (name, others) => {
    const [fault, ...more] = faults({ ...others, [name]: 's'.repeat(31) });
    expect([fault, more]).toEqual([expect.stringMatching(`^${name} has fewer than 32 characters`), []]);
    expect(fault).not.toContain('sss');
    expect(faults({ ...others, [name]: 'ü'.repeat(16) })).toHaveLength(1);
    expect(faults({ ...others, [name]: 's'.repeat(32) })).toEqual([]);
  });

  it.each(['10.0.0.7', '10.0.0.0/8', '2001:db8::1', '2001:db8::/32', '::ffff:10.0.0.7', ' 10.0.0.1 , 10.1.0.0/16 '])(
    'take the proxies %s',
    (text) => {
      expect(faults({ TRUSTED_PROXIES: text })).toEqual([]);
    },
  );

  it.each([
    'proxy.example.com',
    '10.0.0',
    '10.0.0.0/33',
    '10.0.0.0/0',
    '10.0.0.0/8/8',
    '::/129',
    'fe80::1%eth0',
    'loopback',
  ])('refuse the proxies %s', (text) => {
    expect(faults({ TRUSTED_PROXIES: `10.0.0.1,${text}` })).toEqual([
      'TRUSTED_PROXIES must be addresses and networks (10.0.0.0/8) separated by commas.',
    ]);
  });

  it('read lists without blanks and empty parts', () => {
    expect(readConfig({ ...LEAST, KAFKA_BROKERS: ' a:1 ,, b:2,' }).KAFKA_BROKERS).toEqual(['a:1', 'b:2']);
  });

  it.each([
    ['CLAIM_LEASE_MS', '100', '60000'],
    ['HTTP_PORT', '0', '65535'],
    ['TTL_MAX_SECONDS', '1', '315360000'],
  ])('take %s at both ends of its range, and nothing beyond', (name, least, most) => {
    const value = (text: string) => readConfig({ ...LEAST, [name]: text })[name as 'HTTP_PORT'];
    expect(value(least)).toBe(Number(least));
    expect(value(most)).toBe(Number(most));
    const sentence = [`${name} must be a whole number from ${least} to ${most}.`];
    expect(faults({ [name]: String(Number(most) + 1) })).toEqual(sentence);
    if (Number(least) > 0) expect(faults({ [name]: String(Number(least) - 1) })).toEqual(sentence);
  });

  it.each(['-1', '1.5', '1e3', ' 500', '0x10', 'many', '9'.repeat(16)])('do not read "%s" as a number', (text) => {
    expect(faults({ CLAIM_LEASE_MS: text })).toEqual(['CLAIM_LEASE_MS must be a whole number from 100 to 60000.']);
  });

  it('name every fault at once, with what would be right', () => {
    expect(faults({ KAFKA_SSL: 'yes', LOG_LEVEL: 'loud', HTTP_PORT: 'x' })).toEqual([
      'KAFKA_SSL must be true or false.',
      'HTTP_PORT must be a whole number from 0 to 65535.',
      'LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent.',
    ]);
  });

  it.each<[Record<string, string>, RegExp | null]>([
    [{ KAFKA_BROKERS: '' }, /KAFKA_BROKERS is not set/],
    [{ REDIS_URL: '' }, /REDIS_URL is not set/],
    [{ REDIS_URL: '', REDIS_CLUSTER_NODES: 'a:1' }, null],
    [{ REDIS_URL: 'http://r' }, /redis:\/\/ or rediss:\/\//],
    [{ REDIS_URL: 'rediss://r' }, null],
    [{ REDELIVERY_FIRST_MS: '500', REDELIVERY_MAX_MS: '499' }, /must not be smaller/],
    [{ REDELIVERY_FIRST_MS: '500', REDELIVERY_MAX_MS: '500' }, null],
    [{ KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'u' }, /needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD/],
    [{ KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'p' }, null],
    [JWKS, null],
    [{ ...JWKS, JWKS_ISSUER: '' }, /^JWKS_ISSUER is not set/],
    [{ ...JWKS, JWKS_AUDIENCE: '' }, /^JWKS_AUDIENCE is not set/],
    [{ ...JWKS, JWKS_URL: 'http://login.example.com/keys' }, /^JWKS_URL must begin with https:/],
    [{ ...JWKS, JWKS_URL: 'http://127.0.0.1.example.com/keys' }, /^JWKS_URL must begin with https:/],
    [{ ...JWKS, JWKS_URL: 'http://localhost.example.com/keys' }, /^JWKS_URL must begin with https:/],
    [{ ...JWKS, JWKS_URL: 'file:///keys' }, /^JWKS_URL must begin with https:/],
    [{ ...JWKS, JWKS_URL: 'keys' }, /^JWKS_URL must begin with https:/],
    ...['localhost', '127.0.0.1:8443', '127.8.8.8', '[::1]'].map((host): [Record<string, string>, null] => [
      { ...JWKS, JWKS_URL: `http://${host}/keys` },
      null,
    ]),
    [{ BOOTSTRAP_OID: OID }, /go together/],
    [{ BOOTSTRAP_API_KEY: KEY }, /go together/],
    [{ BOOTSTRAP_OID: 'mine', BOOTSTRAP_API_KEY: KEY }, /must be a UUID/],
    [{ BOOTSTRAP_OID: OID, BOOTSTRAP_API_KEY: KEY }, null],
  ])('are looked at together: %o', (env, fault) => {
    const found = faults(env);
    if (fault === null) expect(found).toEqual([]);
    else expect(found.join('\n')).toMatch(fault);
  });
});
