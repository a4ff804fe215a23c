// Runs a program in a process group of its own. When it ends, all that it has started ends too: a worker of vitest would otherwise
// outlive its parent. When this process ends, even by kill -9, the group ends too. execa ends only the program itself, so the
// signals to the group are sent here.

import { execa } from 'execa';
import { afterOurDeath, endGroupScript } from '../src/stack/process/watchdog.ts';

export type ProcessGroup = {
  /** Exit code of the program; 1 if a signal ended it or it could not be started. Never rejects. */
  ended: Promise<number>;
  /** Asks the group to end, and forces it a few seconds later. Safe twice. */
  stop(): void;
};

const FORCE_AFTER_MS = 3_000;

export function startGroup(command: string, args: readonly string[]): ProcessGroup {
  const program = execa(command, args, {
    detached: true,
    stdin: 'ignore',
    stdout: 'inherit',
    stderr: 'inherit',
    reject: false,
  });
  const { pid } = program;
  const watchdog = afterOurDeath(endGroupScript, [String(pid)]);
  const signalGroup = (signal: NodeJS.Signals) => {
    try {
      if (pid !== undefined) process.kill(-pid, signal);
    } catch {
      // The group is empty.
    }
  };
  let force: NodeJS.Timeout | undefined;
  const ended = program.then(({ exitCode, message }) => {
    signalGroup('SIGKILL');
    clearTimeout(force);
    watchdog.cancel();
    if (pid === undefined) console.error(message);
    return exitCode ?? 1;
  });
  return {
    ended,
    stop: () => {
      signalGroup('SIGTERM');
      force ??= setTimeout(() => signalGroup('SIGKILL'), FORCE_AFTER_MS);
    },
  };
}
