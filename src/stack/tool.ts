// Runs a program to its end, such as Maven. If this process ends first, even by kill -9, the program ends too.

import { type ExecFileOptions, execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterOurDeath, endProcessScript } from './watchdog.ts';

const run = promisify(execFile);

/** Answers what it printed. Rejects as `execFile` does: with `code`, `killed` when `timeout` has passed, and the output. */
export async function runTool(
  command: string,
  args: readonly string[],
  options: ExecFileOptions & { timeout: number },
): Promise<{ stdout: string; stderr: string }> {
  const running = run(command, args, { ...options, encoding: 'utf8' });
  const { pid } = running.child;
  const watchdog = pid === undefined ? undefined : afterOurDeath(endProcessScript, [String(pid)]);
  try {
    return await running;
  } finally {
    watchdog?.cancel();
  }
}
