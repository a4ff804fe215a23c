// One step of a script: a child process with a bound on its time that ends when this process does.

import { spawn } from 'node:child_process';
import { afterOurDeath } from '../src/stack/watchdog.ts';

/** How a step went; `output` is empty when it went straight to the terminal. */
export type StepResult = { ok: boolean; output: string; timedOut: boolean };

/** A step that runs. `stop` asks it to end, and forces it five seconds later. */
export type Step = { result: Promise<StepResult>; stop(): void };

export type StepOptions = {
  env?: NodeJS.ProcessEnv;
  boundMs: number;
  /** Keep the output instead of showing it as it comes. */
  quiet?: boolean;
};

const FORCE_AFTER_MS = 5000;

/** Starts `command`. Never rejects: a command that can't be run is a step that failed. */
export function startStep(command: string, args: readonly string[], { env, boundMs, quiet }: StepOptions): Step {
  const stdio = quiet ? ('pipe' as const) : ('inherit' as const);
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', stdio, stdio] });
  const watchdog = afterOurDeath('kill -TERM "$1" 2>/dev/null', [String(child.pid ?? '')]);
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));

  let force: NodeJS.Timeout | undefined;
  let timedOut = false;
  const stop = () => {
    child.kill('SIGTERM');
    force ??= setTimeout(() => child.kill('SIGKILL'), FORCE_AFTER_MS);
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
    child.once('close', (code) => finish(code === 0));
  });
  return { result, stop };
}
