// Gives the integration tests KAFKA_BROKERS and REDIS_URL. `npm test` has set them already; vitest by itself has not.

import { upStack } from '../src/stack/stack.ts';

export default async function setup(): Promise<() => Promise<void>> {
  const stack = await upStack({ purpose: 'test', log: (line) => console.error(line) });
  process.env.KAFKA_BROKERS = stack.kafkaBrokers.join(',');
  process.env.REDIS_URL = stack.redisUrl;
  return () => stack.stop();
}
