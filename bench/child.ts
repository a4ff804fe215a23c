/**
 * Processes under test, and what they cost. A child ends with this process however this one ends, also while it is paused.
 * CPU time is read from /proc: user and system time of the process, all its threads, as the kernel counts it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterOurDeath } from '../src/stack/process/watchdog.ts';

export type Child = {
  process: ChildProcess;
  /** Where its output goes. */
  logFile: string;
  /** Stops it in the middle of whatever it does, and lets it go on. */
  pause(): void;
  goOn(): void;
  /** User and system seconds since its start. NaN where /proc does not exist. */
  cpuSeconds(): number;
  /** SIGTERM, and SIGKILL after 15 s. Resolves when it has ended; safe twice. */
  stop(): Promise<void>;
};

export type ChildOptions = { env: Record<string, string>; logFile: string; nodeFlags?: string[] };

const STOP_MS = 15_000;

/** Starts `node SCRIPT ARGS`; `script` is relative to this folder. */
export function startChild(
  script: string,
  args: readonly string[],
  { env, logFile, nodeFlags = [] }: ChildOptions,
): Child {
  const log = openSync(logFile, 'w');
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=TimeoutNegativeWarning', ...nodeFlags, file, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const watchdog = afterOurDeath('kill -CONT "$1" 2>/dev/null; kill -TERM "$1" 2>/dev/null', [String(child.pid ?? '')]);
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  void ended.then(() => watchdog.cancel());
  return {
    process: child,
    logFile,
    pause: () => void child.kill('SIGSTOP'),
    goOn: () => void child.kill('SIGCONT'),
    cpuSeconds: () => cpuSecondsOf(child.pid ?? 0),
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGCONT');
        child.kill('SIGTERM');
      }
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Linux counts in hundredths of a second for programs, whatever the kernel was built with. */
const TICKS_PER_SECOND = 100;

function cpuSecondsOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return Number.NaN;
  }
}

/** The last lines of a log, for an error. */
export function lastLines(logFile: string, count = 8): string {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  } catch {
    return '';
  }
}

/** Resolves when `done` does not answer undefined any more. Throws `what` and the end of the child's log when the child ends
 *  before, or after `withinMs`. */
export async function until<T>(
  what: string,
  child: Child,
  withinMs: number,
  done: () => Promise<T | undefined>,
  everyMs = 50,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await done();
    if (found !== undefined) return found;
    const { exitCode, signalCode } = child.process;
    const gone = exitCode !== null || signalCode !== null;
    if (gone || performance.now() > deadline) {
      throw new Error(`${what}: ${gone ? 'the process ended' : 'not in time'}.\n${lastLines(child.logFile)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
