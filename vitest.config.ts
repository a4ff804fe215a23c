// Four projects. `unit` and `simulation` need nothing that runs; the simulation has many seeds, and a time bound of its own.
// `chaos` stops and starts a Kafka and a Redis of its own. `integration` needs Kafka and Redis: it takes those that the environment names,
// else brings up its own, so a single file can be run by itself.

import { defineConfig } from 'vitest/config';

// kafkajs sets timers that are already due, which Node 24 warns about.
const execArgv = ['--disable-warning=TimeoutNegativeWarning'];

export default defineConfig({
  test: {
    // By itself it leaves one processor free, which on two of them is one half.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/**', 'test/e2e/**', 'test/sim/**', 'test/chaos/chaos.test.ts'],
          // For what hangs; how long a test takes says more about what runs beside it.
          testTimeout: 30_000,
          execArgv,
        },
      },
      {
        test: {
          name: 'simulation',
          include: ['test/sim/**/*.test.ts'],
          testTimeout: 120_000,
          execArgv,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'test/e2e/**/*.test.ts'],
          globalSetup: ['test/global-setup.ts'],
          // One broker and two cores: files that run at the same time would only measure each other.
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          execArgv,
        },
      },
      {
        test: {
          name: 'chaos',
          include: ['test/chaos/chaos.test.ts'],
          hookTimeout: 300_000,
          execArgv,
        },
      },
    ],
  },
});
