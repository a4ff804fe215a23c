/**
 * Every setting of the server: name, type, default, range. Read once from the environment into a frozen object. An invalid value is
 * reported with its name and the valid range, and nothing starts.
 */
import { isIP } from 'node:net';
import { ApiError } from './errors.ts';

type Spec<T> = { parse: (text: string) => T; expected: string; fallback: T };

const integer = (fallback: number, min: number, max: number): Spec<number> => ({
  fallback,
  expected: `a whole number from ${min} to ${max}`,
  parse: (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw new RangeError();
    return value;
  },
});

const text = (fallback: string): Spec<string> => ({ fallback, expected: 'text', parse: (value) => value });

const flag = (fallback: boolean): Spec<boolean> => ({
  fallback,
  expected: 'true or false',
  parse: (value) => {
    if (value !== 'true' && value !== 'false') throw new RangeError();
    return value === 'true';
  },
});

const oneOf = <T extends string>(fallback: T, ...allowed: T[]): Spec<T> => ({
  fallback,
  expected: `one of ${allowed.join(', ')}`,
  parse: (value) => {
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) throw new RangeError();
    return found;
  },
});

const list = (fallback: string[]): Spec<string[]> => ({
  fallback,
  expected: 'a list separated by commas',
  parse: (value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
});

/** Addresses and networks, as `10.0.0.7` and `10.0.0.0/8`. */
const networkList = (): Spec<string[]> => ({
  ...list([]),
  expected: 'addresses and networks (10.0.0.0/8) separated by commas',
  parse: (value) => {
    const networks = list([]).parse(value);
    if (!networks.every(isNetwork)) throw new RangeError();
    return networks;
  },
});

function isNetwork(text: string): boolean {
  const [, address = '', bits] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const most = { 0: 0, 4: 32, 6: 128 }[isIP(address)] as number;
  return most > 0 && (bits === undefined || (Number(bits) >= 1 && Number(bits) <= most));
}

/** Settings by environment name. Milliseconds, seconds and bytes as the names say. */
const SETTINGS = {
  KAFKA_BROKERS: list([]),
  KAFKA_SSL: flag(false),
  KAFKA_SASL_MECHANISM: oneOf('', '', 'plain', 'scram-sha-256', 'scram-sha-512'),
  KAFKA_SASL_USERNAME: text(''),
  KAFKA_SASL_PASSWORD: text(''),
  KAFKA_TOPIC_PREFIX: text(''),
  KAFKA_SESSION_MS: integer(10_000, 1_000, 300_000),
  REDIS_URL: text(''),
  REDIS_CLUSTER_NODES: list([]),
  SCHEMA_REGISTRY_URL: text(''),
  HTTP_HOST: text('127.0.0.1'),
  HTTP_PORT: integer(8080, 0, 65_535),
  TRUSTED_PROXIES: networkList(),
  JWT_SECRET: text(''),
  JWKS_URL: text(''),
  JWKS_ISSUER: text(''),
  JWKS_AUDIENCE: text(''),
  JWKS_MAX_SECONDS: integer(86_400, 60, 31_536_000),
  LOG_LEVEL: oneOf('info', 'trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
  BOOTSTRAP_OID: text(''),
  BOOTSTRAP_API_KEY: text(''),
  TTL_MAX_SECONDS: integer(7_776_000, 1, 315_360_000),
  ENDED_RETENTION_SECONDS: integer(604_800, 1, 31_536_000),
  REDELIVERY_FIRST_MS: integer(30_000, 10, 86_400_000),
  REDELIVERY_MAX_MS: integer(600_000, 10, 86_400_000),
  CLAIM_LEASE_MS: integer(1_000, 100, 60_000),
  EXPIRY_MARGIN_MS: integer(50, 0, 10_000),
  API_APPLY_WAIT_MS: integer(5_000, 1, 60_000),
  TASK_MAX_BYTES: integer(65_536, 1, 524_288),
  BODY_MAX_BYTES: integer(4_194_304, 1_024, 67_108_864),
  RATE_LIMIT_PER_MINUTE: integer(0, 0, 10_000_000),
  TOKEN_FAILURES_PER_MINUTE: integer(60, 0, 1_000_000),
  EVENT_STREAMS_PER_KEY: integer(100, 1, 100_000),
  OUTPUT_DIR: text(''),
  OUTPUT_ALLOW_PRIVATE: flag(false),
  TOPIC_PARTITIONS: integer(8, 1, 1_024),
  TOPIC_REPLICATION: integer(1, 1, 9),
  TOPIC_MIN_ISR: integer(0, 0, 9),
  TOPICS_CREATE: flag(true),
  SHUTDOWN_MS: integer(10_000, 100, 300_000),
} satisfies Record<string, Spec<unknown>>;

type Settings = { [K in keyof typeof SETTINGS]: (typeof SETTINGS)[K] extends Spec<infer T> ? T : never };
export type Config = Readonly<Settings>;

/** Minimum length of secrets that an attacker can guess offline, or from many addresses. */
const SECRET_MIN_CHARACTERS = 32;

const isShort = (secret: string): boolean => secret !== '' && secret.length < SECRET_MIN_CHARACTERS;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function isTrustworthy(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname));
}

/** Rules about more than one setting. Each returns a sentence for people. */
const CROSS_CHECKS: ((config: Config) => string | undefined)[] = [
  (c) =>
    c.KAFKA_BROKERS.length === 0 ? 'KAFKA_BROKERS is not set: name at least one broker, as host:port.' : undefined,
  (c) =>
    c.REDIS_URL === '' && c.REDIS_CLUSTER_NODES.length === 0
      ? 'REDIS_URL is not set: give redis://host:port, or REDIS_CLUSTER_NODES.'
      : undefined,
  (c) =>
    c.REDIS_URL !== '' && !/^rediss?:\/\//.test(c.REDIS_URL)
      ? 'REDIS_URL must begin with redis:// or rediss://.'
      : undefined,
  (c) =>
    c.JWKS_URL !== '' && !isTrustworthy(c.JWKS_URL)
      ? 'JWKS_URL must begin with https://, or with http:// on a loopback address: anyone who can change the answer can sign tokens.'
      : undefined,
  (c) =>
    c.JWKS_URL !== '' && c.JWKS_ISSUER === ''
      ? 'JWKS_ISSUER is not set: JWKS_URL requires it. Set it to the iss of the tokens to accept.'
      : undefined,
  (c) =>
    c.JWKS_URL !== '' && c.JWKS_AUDIENCE === ''
      ? 'JWKS_AUDIENCE is not set: JWKS_URL requires it. Set it to the aud of the tokens for this service.'
      : undefined,
  (c) =>
    c.REDELIVERY_MAX_MS < c.REDELIVERY_FIRST_MS
      ? 'REDELIVERY_MAX_MS must not be smaller than REDELIVERY_FIRST_MS.'
      : undefined,
  (c) =>
    c.KAFKA_SASL_MECHANISM !== '' && (c.KAFKA_SASL_USERNAME === '' || c.KAFKA_SASL_PASSWORD === '')
      ? 'KAFKA_SASL_MECHANISM needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD.'
      : undefined,
  (c) =>
    c.TOPIC_MIN_ISR > c.TOPIC_REPLICATION
      ? 'TOPIC_MIN_ISR must not be larger than TOPIC_REPLICATION: nothing could be written.'
      : undefined,
  (c) =>
    isShort(c.JWT_SECRET)
      ? `JWT_SECRET has fewer than ${SECRET_MIN_CHARACTERS} characters: anyone who guesses it can sign tokens. Use a random secret, for example from: openssl rand -hex 32`
      : undefined,
  (c) =>
    isShort(c.BOOTSTRAP_API_KEY)
      ? `BOOTSTRAP_API_KEY has fewer than ${SECRET_MIN_CHARACTERS} characters: anyone who guesses it has all rights in the org. Use a random UUID, for example from: uuidgen`
      : undefined,
  (c) => (c.BOOTSTRAP_OID !== '' && !UUID.test(c.BOOTSTRAP_OID) ? 'BOOTSTRAP_OID must be a UUID.' : undefined),
  (c) =>
    (c.BOOTSTRAP_OID === '') !== (c.BOOTSTRAP_API_KEY === '')
      ? 'BOOTSTRAP_OID and BOOTSTRAP_API_KEY go together: set both or neither.'
      : undefined,
];

/** Reads settings from `env` (usually `process.env`). Throws `ApiError('config_invalid')` that lists every fault found. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const values: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [name, spec] of Object.entries(SETTINGS) as [string, Spec<unknown>][]) {
    const raw = env[name];
    if (raw === undefined || raw === '') {
      values[name] = spec.fallback;
      continue;
    }
    try {
      values[name] = spec.parse(raw);
    } catch {
      faults.push(`${name} must be ${spec.expected}.`);
    }
  }
  const config = Object.freeze(values) as Config;
  if (faults.length === 0)
    faults.push(...CROSS_CHECKS.map((check) => check(config)).filter((fault) => fault !== undefined));
  if (faults.length > 0) throw new ApiError('config_invalid', faults.join('\n'));
  return config;
}
