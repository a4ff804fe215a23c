// Runs a program to its end, such as Maven. If this process ends first, even by kill -9, the program ends too: execa's `cleanup`
// alone does not cover that.

import { execa } from 'execa';
import { afterOurDeath, endProcessScript } from './watchdog.ts';

/** Answers what it printed. Rejects as execa does: with `code`, `timedOut`, and the output. */
export async function runTool(
  command: string,
  args: readonly string[],
  options: { timeout: number; env?: NodeJS.ProcessEnv },
): Promise<string> {
  const running = execa(command, args, { ...options, stdin: 'ignore' });
  const { pid } = running;
  const watchdog = pid === undefined ? undefined : afterOurDeath(endProcessScript, [String(pid)]);
  try {
    return (await running).stdout;
  } finally {
    watchdog?.cancel();
  }
}
