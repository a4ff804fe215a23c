// A program that is run to its end, such as Maven. Whatever ends this process meanwhile, kill -9 included, ends it too.

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
