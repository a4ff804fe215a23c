// The steps of a script: child processes with a bound on their time. Each leads a process group, and all of the group ends with
// the step: what a step has started, a compiler below a shell or a worker of vitest, does not outlive it. Whatever ends this
// process, kill -9 included, ends its steps.

import { spawn } from 'node:child_process';
import { afterOurDeath, endGroupScript } from '../src/stack/process/watchdog.ts';

/** How a step went; `output` is empty when it went straight to the terminal. */
export type StepResult = { ok: boolean; output: string; timedOut: boolean };

export type StepOptions = {
  env?: NodeJS.ProcessEnv;
  boundMs: number;
  /** Keep the output instead of showing it as it comes. */
  quiet?: boolean;
};

/** `run` never rejects: a command that can't be run is a step that failed. `stop` asks what runs to end, forces it a few seconds
 *  later, and resolves when each step has ended and what it had started is killed; a step after it fails without being started. */
export type Steps = {
  run(command: string, args: readonly string[], options: StepOptions): Promise<StepResult>;
  stop(): Promise<void>;
};

type Step = { result: Promise<StepResult>; stop(): void };

const FORCE_AFTER_MS = 3_000;

export function createSteps(): Steps {
  const running = new Set<Step>();
  let stopped = false;
  return {
    run: async (command, args, options) => {
      if (stopped) return { ok: false, output: '', timedOut: false };
      const step = startStep(command, args, options);
      running.add(step);
      const result = await step.result;
      running.delete(step);
      return result;
    },
    stop: async () => {
      stopped = true;
      for (const step of running) step.stop();
      await Promise.all([...running].map((step) => step.result));
    },
  };
}

function startStep(command: string, args: readonly string[], { env, boundMs, quiet }: StepOptions): Step {
  const stdio = quiet ? ('pipe' as const) : ('inherit' as const);
  const options = { env: { ...process.env, ...env }, stdio: ['ignore' as const, stdio, stdio], detached: true };
  const child = spawn(command, args, options);
  const watchdog = afterOurDeath(endGroupScript, [String(child.pid ?? '')]);
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));

  const signalGroup = (signal: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // The group is empty.
    }
  };
  let force: NodeJS.Timeout | undefined;
  let timedOut = false;
  const stop = () => {
    signalGroup('SIGTERM');
    force ??= setTimeout(() => signalGroup('SIGKILL'), FORCE_AFTER_MS);
  };
  const bound = setTimeout(() => {
    timedOut = true;
    stop();
  }, boundMs);

  const result = new Promise<StepResult>((resolve) => {
    const finish = (ok: boolean, trouble = '') => {
      clearTimeout(bound);
      clearTimeout(force);
      watchdog.cancel();
      resolve({ ok: ok && !timedOut, output: Buffer.concat(chunks).toString() + trouble, timedOut });
    };
    child.once('error', (error) => finish(false, error.message));
    // The rest of the group would keep running and hold the output open.
    child.once('exit', () => signalGroup('SIGKILL'));
    child.once('close', (code) => finish(code === 0));
  });
  return { result, stop };
}
