// Kafka and Redis for the integration tests: one stack for each worker, since some tests empty its Redis and others fill its
// broker. It starts when its worker asks for it; if other projects run before, while those run. A worker asks for its stack by HTTP, because a worker gets its environment
// before the run begins. A stack that cannot start fails the test files that ask for it, and no other.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import type { Stack } from '../../src/stack/source.ts';
import { upStack } from '../../src/stack/stack.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** `GET <stacksUrl>/<pool id>` answers the environment of a worker, as soon as its stack is up. */
    stacksUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stacks = new Map<string, Promise<Stack>>();
  const stackOf = (worker: string) => {
    const stack = stacks.get(worker) ?? upStack({ purpose: 'test', log: (line) => console.error(line) });
    stacks.set(worker, stack);
    return stack;
  };
  const isAlone = project.vitest.projects.length === 1;
  const workers = isAlone ? 0 : Number(project.config.maxWorkers);
  for (let worker = 1; worker <= workers; worker += 1) stackOf(String(worker)).catch(() => {}); // see `server`

  const server = createServer(async ({ url = '' }, response) => {
    try {
      const { kafkaBrokers, redisUrl } = await stackOf(url.slice(1));
      response.end(JSON.stringify({ KAFKA_BROKERS: kafkaBrokers.join(','), REDIS_URL: redisUrl }));
    } catch (error) {
      response.writeHead(503).end(error instanceof Error ? error.message : String(error));
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  project.provide('stacksUrl', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.close();
    await Promise.all([...stacks.values()].map(async (stack) => (await stack.catch(() => undefined))?.stop()));
  };
}
