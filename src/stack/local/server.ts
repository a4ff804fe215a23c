// A server that runs as a child: Kafka, Redis or the schema registry. It lives in a session of its own, so Ctrl-C reaches only
// the program that started it, which then stops things in order. Unless it is detached it never outlives its parent.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterOurDeath, endServerScript } from '../process/watchdog.ts';

/** A server of this machine on 127.0.0.1. `kill` sends a signal and, when it is one that ends a process, waits for the end.
 *  `exited` resolves with how it ended and never rejects. `stop` is safe twice. */
export type LocalServer = {
  port: number;
  pid: number;
  exited: Promise<string>;
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): Promise<void>;
};

/** How a local server is started. */
export type LocalServerOptions = {
  /** For data and logs; created if missing. */
  dir: string;
  /** Default: a free port. */
  port?: number;
  /** The server outlives this process. Otherwise it ends with it, even on kill -9. */
  detached?: boolean;
  /** `dir` is removed when this process dies without stopping the server. */
  removeAfterDeath?: boolean;
  /** Called before the server is ready, so that the process can be recorded. */
  onSpawn?: (server: { pid: number; port: number }) => void;
  /** Gets a line for each download. */
  log?: (line: string) => void;
};

/** What to run in `cwd`. Output goes to `outFile`, overwritten at each start. */
export type ServerCommand = {
  name: string;
  command: string;
  args: readonly string[];
  cwd: string;
  outFile: string;
  /** Outlives this process (for `rt stack up`). */
  detached?: boolean | undefined;
  /** `cwd` is removed with everything in it when this process dies without stopping the server. */
  removeAfterDeath?: boolean | undefined;
};

/** A running server. `exited` resolves with how it ended, never rejects. */
export type ServerProcess = Omit<LocalServer, 'port'> & { name: string; running(): boolean };

const STOP_GRACE_MS = 20_000;
const ENDING_SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGQUIT', 'SIGHUP'];

/** Not by execa: it has no `unref`, and what it writes to a file goes through this process, which may end first. */
function spawnQuietly({ command, args, cwd, outFile }: ServerCommand): ChildProcess {
  const out = openSync(outFile, 'w');
  try {
    return spawn(command, args, { cwd, detached: true, stdio: ['ignore', out, out] });
  } finally {
    closeSync(out);
  }
}

/** Starts it and returns at once; throws a sentence when the program can't be run at all. */
export async function startServer(wanted: ServerCommand): Promise<ServerProcess> {
  const child = spawnQuietly(wanted);
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`can't be run: ${error.message}`));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${wanted.name} ${await exited} (${wanted.command})`);
  child.unref(); // a program that forgets to stop its stack still ends, and the watchdog with it

  let ended = false;
  const watchdog = wanted.detached
    ? undefined
    : afterOurDeath(endServerScript, [String(pid), wanted.removeAfterDeath ? wanted.cwd : '']);
  void exited.then(() => {
    ended = true;
    watchdog?.cancel();
  });

  async function kill(signal: NodeJS.Signals): Promise<void> {
    if (ended) return;
    child.kill(signal);
    if (!ENDING_SIGNALS.includes(signal)) return;
    child.ref();
    await exited;
  }
  async function stop(): Promise<void> {
    const forced = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
    await kill('SIGTERM');
    clearTimeout(forced);
  }
  return { name: wanted.name, pid, exited, running: () => !ended, stop, kill };
}

/** Starts a server that listens on `port`, and resolves when it answers. */
export async function startListening(
  { dir, detached, removeAfterDeath, onSpawn }: LocalServerOptions,
  port: number,
  program: Pick<ServerCommand, 'name' | 'command' | 'args' | 'outFile'> & {
    answers: (pid: number) => Promise<boolean>;
    deadlineMs: number;
    /** Without it `outFile` is the log. */
    logFile?: string;
  },
): Promise<LocalServer> {
  const { name, command, args, outFile, answers, deadlineMs, logFile = outFile } = program;
  const server = await startServer({ name, command, args, cwd: dir, outFile, detached, removeAfterDeath });
  const { pid, exited, stop, kill } = server;
  onSpawn?.({ pid, port });
  await untilReady(server, () => answers(pid), { deadlineMs, logFile });
  return { port, pid, exited, stop, kill };
}

/** Waits until `answers` says yes. Throws, with the last lines of `logFile`, when the server ends before or `deadlineMs` (a
 *  duration) passes; it is stopped then. */
export async function untilReady(
  server: ServerProcess,
  answers: () => Promise<boolean>,
  { deadlineMs, logFile }: { deadlineMs: number; logFile: string },
): Promise<void> {
  const giveUpAt = Date.now() + deadlineMs;
  while (!(server.running() && (await answers()))) {
    const late = Date.now() > giveUpAt;
    if (server.running() && !late) {
      await delay(50);
      continue;
    }
    if (late) await server.kill('SIGKILL');
    const how = late ? `did not answer within ${deadlineMs / 1000} s` : `ended at its start (${await server.exited})`;
    throw new Error(`${server.name} ${how}; the end of ${logFile}:\n${lastWords(logFile)}`);
  }
}

/** The end of a log, and before it the line that a long stack trace may have pushed out of sight. */
function lastWords(file: string): string {
  try {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const end = lines.slice(-12);
    const bind = lines.slice(0, -12).findLast((line) => /address already in use/i.test(line));
    return (bind === undefined ? end : [bind, '…', ...end]).join('\n');
  } catch {
    return '(no log)';
  }
}
