// The summary of a run. Its last line is always `N passed, N failed, N skipped`, which CI reads. It comes when the process exits,
// so it also follows what the end of the run prints, such as the stop of Kafka. A skipped test needs a reason in test/skips.json. A
// run that takes too long or is stopped by a signal counts as a failure.

import { readFileSync } from 'node:fs';
import type { SerializedError } from 'vitest';
import type { Reporter, TestModule, Vitest } from 'vitest/node';

/** A line of test/skips.json: a test's full name or a file (from the checkout's root), and why it may be skipped. */
export type AllowedSkip = { test: string; reason: string };

/** `skips` and `failures` are a file and a test each; a file that could not be loaded is a failure by its name alone. */
export type Tally = { passed: number; failures: string[]; skips: { file: string; test: string }[] };

const SKIPS = new URL('../skips.json', import.meta.url);

/** Tests that `-t` leaves out do not count. */
export function tallyOf(modules: readonly TestModule[], pattern?: RegExp): Tally {
  const tally: Tally = { passed: 0, failures: [], skips: [] };
  for (const module of modules) {
    const file = module.relativeModuleId;
    const failedBefore = tally.failures.length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') tally.passed += 1;
      else if (state === 'failed') tally.failures.push(`${file}: ${test.fullName}`);
      else if (state === 'skipped' && (pattern?.test(test.fullName) ?? true))
        tally.skips.push({ file, test: test.fullName });
    }
    if (module.state() === 'failed' && tally.failures.length === failedBefore) tally.failures.push(file);
  }
  return tally;
}

/** The skipped tests without a reason. */
export function unexplainedSkips({ skips }: Tally, allowed: readonly AllowedSkip[]): string[] {
  const explained = new Set(allowed.filter(({ reason }) => reason.trim() !== '').map(({ test }) => test));
  return skips
    .filter(({ file, test }) => !explained.has(file) && !explained.has(test))
    .map(({ file, test }) => `${file}: ${test}`);
}

export class SummaryReporter implements Reporter {
  readonly #boundMinutes: number;
  readonly #startedAtMs = Date.now();
  #vitest!: Vitest;
  #ended = false;
  #errors: readonly SerializedError[] = [];

  constructor(boundMinutes: number) {
    this.#boundMinutes = boundMinutes;
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
    process.once('exit', () => this.#print());
    setTimeout(() => process.exit(1), this.#boundMinutes * 60_000).unref();
  }

  onTestRunEnd(_: readonly TestModule[], errors: readonly SerializedError[]): void {
    this.#ended = true;
    this.#errors = errors;
  }

  #print(): void {
    const { state, config } = this.#vitest;
    const modules = state.getTestModules();
    const tally = tallyOf(modules, config.testNamePattern);
    if (this.#ended && tally.failures.length === 0) tally.failures.push(...this.#errors.map(({ message }) => message));
    if (!this.#ended) {
      const seconds = Math.round((Date.now() - this.#startedAtMs) / 1_000);
      const running = modules.filter((module) => module.state() === 'pending').map((module) => module.relativeModuleId);
      tally.failures.push(`the run was stopped after ${seconds} s, in ${running.join(', ') || 'no test file'}`);
    }
    const unexplained = unexplainedSkips(tally, JSON.parse(readFileSync(SKIPS, 'utf8')));
    const lines = [
      ...tally.failures.map((failure) => `failed: ${failure}`),
      ...unexplained.map((skip) => `skipped without a reason in test/skips.json: ${skip}`),
      `${tally.passed} passed, ${tally.failures.length} failed, ${tally.skips.length} skipped`,
    ];
    console.log(lines.join('\n'));
    if (lines.length > 1) process.exitCode ||= 1;
  }
}
