// Projects, in two groups that run one after the other. `checks`, `unit` and `simulation` compute: each of their files uses one core.
// `integration` and `chaos` mostly wait, on real Kafka and Redis: each worker has a stack of its own (test/setup/stacks.ts), and
// `chaos` starts and stops its own servers. `--mode long` runs more of `simulation` and `chaos`.

import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/setup/longest-first.ts';
import { SummaryReporter } from './test/setup/reporter.ts';

// kafkajs sets timers that are already due, which Node 24 warns about.
const execArgv = ['--disable-warning=TimeoutNegativeWarning'];

// All programs that the tests start inherit this. Node keeps compiled code between processes, and Java compiles once and quickly:
// a role starts in a third of the time, and a broker, which here lives for minutes, in two thirds.
process.env.NODE_COMPILE_CACHE ||= join(import.meta.dirname, '.cache', 'compiled');
process.env.JDK_JAVA_OPTIONS ||= '-XX:TieredStopAtLevel=1';

/** Servers or ports that the environment names exist only once, so test files cannot use them at the same time. */
const isNamed = ['KAFKA_BROKERS', 'KAFKA_PORT', 'REDIS_PORT'].some((name) => process.env[name]);
const onServers = { maxWorkers: isNamed ? 1 : 2, sequence: { groupOrder: 2 } };

export default defineConfig(({ mode }) => {
  const isLong = mode === 'long';
  return {
    test: {
      // By itself it leaves one processor free, which on two of them is one half.
      maxWorkers: '100%',
      reporters: ['default', new SummaryReporter(isLong ? 120 : 40)],
      sequence: { sequencer: LongestFirst },
      passWithNoTests: true,
      // Kafka takes a moment to stop.
      teardownTimeout: 30_000,
      provide: isLong ? { seeds: 10_000, chaosSeconds: 600 } : { seeds: 2_000, chaosSeconds: 60 },
      projects: [
        {
          test: { name: 'checks', include: ['test/checks/**/*.test.ts'], testTimeout: 300_000 },
        },
        {
          test: {
            name: 'unit',
            include: ['test/**/*.test.ts'],
            exclude: ['test/checks/**', 'test/integration/**', 'test/sim/**', 'test/chaos/chaos.test.ts'],
            // Only ends tests that never end. How long a test takes depends on what runs at the same time.
            testTimeout: 30_000,
            // Loading the modules again for each file costs half of the time. A test restores what it changes.
            isolate: false,
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
            globalSetup: ['test/setup/stacks.ts'],
            setupFiles: ['test/setup/own-stack.ts'],
            testTimeout: 60_000,
            hookTimeout: 120_000,
            execArgv,
            ...onServers,
          },
        },
        {
          test: {
            name: 'chaos',
            include: ['test/chaos/chaos.test.ts'],
            hookTimeout: 300_000,
            execArgv,
            ...onServers,
          },
        },
      ],
    },
  };
});
