// Types of the sources of Kafka and Redis, and which source the environment selects. Pure: Docker is asked later, and only if the
// plan allows it.

import { StackSettingError } from './errors.ts';

/** A stack that is up. `stop` ends what this call started and is safe twice; what was there before stays. */
export type Stack = {
  source: 'environment' | 'docker' | 'local';
  kafkaBrokers: string[];
  redisUrl: string;
  stop(): Promise<void>;
};

/** `start` keeps its data (in `dataDir`, by default the checkout's `.stack`); `test` keeps nothing. */
export type StackOptions = {
  purpose: 'start' | 'test';
  log: (line: string) => void;
  dataDir?: string;
  /** Outlives this process (`rt stack up`); only with `start`. */
  detached?: boolean;
};

export type SourceOptions = StackOptions & { kafkaPort: number | undefined; redisPort: number | undefined };

/** `docker: 'try'`: Docker when it works, else local processes. `'must'`: Docker, or an error. `'never'`: local processes. */
export type Plan =
  | { source: 'environment'; kafkaBrokers: string[]; redisUrl: string }
  | { source: 'own'; docker: 'try' | 'must' | 'never' };

export type Address = { host: string; port: number };

/** Reads `KAFKA_BROKERS` with `REDIS_URL`, else `STACK_SOURCE` (`docker` or `local`; not set: Docker when it works).
 *  Throws a line that names the variable to change. */
export function planSource(env: NodeJS.ProcessEnv): Plan {
  const kafkaBrokers = splitList(env.KAFKA_BROKERS ?? '');
  const redisUrl = env.REDIS_URL ?? '';
  if (kafkaBrokers.length > 0 && redisUrl !== '') {
    if (!URL.canParse(redisUrl)) throw new StackSettingError(`REDIS_URL=${redisUrl}: a redis:// or rediss:// address`);
    return { source: 'environment', kafkaBrokers, redisUrl };
  }
  // With one of the two alone, records and projection would come from different systems.
  if (kafkaBrokers.length > 0)
    throw new StackSettingError('KAFKA_BROKERS is set and REDIS_URL is not: set both, or neither.');
  if (redisUrl !== '') throw new StackSettingError('REDIS_URL is set and KAFKA_BROKERS is not: set both, or neither.');
  switch (env.STACK_SOURCE ?? '') {
    case '':
      return { source: 'own', docker: 'try' };
    case 'docker':
      return { source: 'own', docker: 'must' };
    case 'local':
      return { source: 'own', docker: 'never' };
    default:
      throw new StackSettingError(`STACK_SOURCE=${env.STACK_SOURCE}: docker or local`);
  }
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** `host:port` each, as in KAFKA_BROKERS; IPv6 in brackets; port 9092 when it is left out. */
export function parseAddresses(brokers: readonly string[]): Address[] {
  return brokers.map((broker) => {
    const [, host, port] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(broker) ?? [];
    if (!host) throw new StackSettingError(`KAFKA_BROKERS: ${broker} is not host:port`);
    return { host, port: Number(port ?? 9092) };
  });
}
