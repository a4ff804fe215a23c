// Cleans up after a process that cannot do so itself. A shell waits on a pipe whose other end only this process holds. However
// this process ends, even by kill -9, the kernel closes that end. The shell reads end of file and runs its script.

import { spawn } from 'node:child_process';

/** Runs until cancelled or used. `cancel` is safe twice. */
export type Watchdog = { cancel(): void };

/** Runs the POSIX shell text `script` with `args` as $1, $2, … when this process is gone. */
export function afterOurDeath(script: string, args: readonly string[]): Watchdog {
  // Its own session: a Ctrl-C in the terminal must not end the watchdog together with those it watches over.
  const shell = spawn('/bin/sh', ['-c', `while read -r line; do :; done\n${script}`, 'watchdog', ...args], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.on('error', () => {}); // no shell: nothing is watched, and nothing else changes
  shell.stdin.on('error', () => {});
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  return { cancel: () => void shell.kill('SIGKILL') };
}

/** Ends the process group $1: three seconds to do it by itself. */
export const endGroupScript = `
kill -s TERM -- "-$1" 2>/dev/null
sleep 3
kill -s KILL -- "-$1" 2>/dev/null`;

/** Ends process $1 at once. */
export const endProcessScript = 'kill -KILL "$1" 2>/dev/null';

/** Ends process $1 and removes folder $2, and the folder around it when that is then empty. Without $2 the server keeps its data,
 *  and has ten seconds to end by itself. */
export const endServerScript = `
if [ -n "$2" ]; then kill -KILL "$1" 2>/dev/null; else kill -TERM "$1" 2>/dev/null; fi
n=0
while kill -0 "$1" 2>/dev/null && [ $n -lt 50 ]; do sleep 0.2; n=$((n + 1)); done
kill -KILL "$1" 2>/dev/null
if [ -n "$2" ]; then sleep 0.2; rm -rf "$2"; rmdir "$(dirname "$2")" 2>/dev/null; fi`;
