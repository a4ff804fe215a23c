// Five projects. `unit` and `simulation` need nothing that runs; the simulation has many seeds, and a time bound of its own.
// `chaos` stops and starts a Kafka and a Redis of its own. `integration` and `faults` need Kafka and Redis: they take those that the
// environment names, else bring up their own, so a single file can be run by itself.

import { defineConfig } from 'vitest/config';

// kafkajs sets timers that are already due, which Node 24 warns about.
const execArgv = ['--disable-warning=TimeoutNegativeWarning'];

/** Tests that kill, stop and wait: they use a processor for a small part of their time, so they run beside `integration`. */
const FAULTS = ['faults', 'group', 'kill', 'local-servers', 'outage', 'oversized', 'pause', 'transactions'].map(
  (name) => `test/integration/${name}.test.ts`,
);

/** One broker and its share of two cores: files that run at the same time would only measure each other. */
const onServers = {
  globalSetup: ['test/global-setup.ts'],
  fileParallelism: false,
  testTimeout: 60_000,
  hookTimeout: 120_000,
  execArgv,
};

export default defineConfig({
  test: {
    // By itself it leaves one processor free, which on two of them is one half.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/**', 'test/sim/**', 'test/chaos/chaos.test.ts'],
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
          include: ['test/integration/**/*.test.ts'],
          exclude: FAULTS,
          ...onServers,
        },
      },
      {
        test: {
          name: 'faults',
          include: FAULTS,
          ...onServers,
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
