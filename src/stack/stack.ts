// Brings up Kafka and Redis for `npm start`, `rt stack up` and the tests, from the first source that applies: the
// environment names them; Docker answers and has or gets the images; local processes. Whatever was started here ends with
// `stop`, and, unless it was asked to outlive this process, when this process dies in any other way.

import { runDocker } from './docker/stack.ts';
import { findDetached, runLocal } from './local/stack.ts';
import { portFrom } from './ports.ts';
import { accepts } from './probe.ts';
import {
  type Address,
  type Plan,
  parseAddresses,
  planSource,
  type SourceOptions,
  type Stack,
  type StackOptions,
} from './source.ts';

/** Resolves when Kafka and Redis answer. Throws a sentence that says what to install or change when no source works. */
export async function upStack(options: StackOptions): Promise<Stack> {
  const plan = planSource(process.env);
  if (plan.source === 'environment') return useEnvironment(plan, options.log);
  if (options.purpose === 'start') {
    // A stack of `rt stack up` has priority over Docker, which may have started since.
    const standing = await findDetached(options);
    if (standing !== undefined) return standing;
  }
  const given: SourceOptions = {
    ...options,
    kafkaPort: portFrom(process.env, 'KAFKA_PORT'),
    redisPort: portFrom(process.env, 'REDIS_PORT'),
  };
  const stack = plan.docker === 'never' ? undefined : await runDocker(given, plan.docker);
  return stack ?? runLocal(given);
}

type EnvironmentPlan = Extract<Plan, { source: 'environment' }>;

async function useEnvironment(plan: EnvironmentPlan, log: (line: string) => void): Promise<Stack> {
  const reachable = (address: Address) => accepts(address.port, address.host, 5000);
  const redis = new URL(plan.redisUrl);
  const brokers = await Promise.all(parseAddresses(plan.kafkaBrokers).map(reachable));
  if (!brokers.includes(true)) throw new Error(`KAFKA_BROKERS=${plan.kafkaBrokers.join(',')}: none of them answers.`);
  if (!(await reachable({ host: redis.hostname, port: Number(redis.port || 6379) }))) {
    throw new Error(`REDIS_URL: nothing answers on ${redis.host}.`);
  }
  log(`Stack: Kafka ${plan.kafkaBrokers.join(',')}, Redis ${redis.host} (named by the environment)`);
  return { source: 'environment', kafkaBrokers: plan.kafkaBrokers, redisUrl: plan.redisUrl, stop: async () => {} };
}
