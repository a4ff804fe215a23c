/**
 * The roles of the server as processes of their own, as in production. Each writes a log file and ends with this process,
 * however this one ends: the channel to it closes. A role that dies is started again, so that killing one can be tried; one
 * that dies before it was ever ready is a fault, told with the end of its log.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Role } from '../cli/commands/serve.ts';

export type RoleOptions = {
  role: Role;
  port: number;
  env: Record<string, string>;
  logFolder: string;
  /** What is run with `serve --roles ROLE`; our own program unless a test gives another. */
  program?: string;
  /** Told when a role that was ready has died and is started again. */
  onRestart(role: Role, how: string): void;
};

/** In a checkout we run from .ts, in what is shipped from .js, and so does the program. */
const PROGRAM = fileURLToPath(new URL(`../cli/main${extname(import.meta.url)}`, import.meta.url));
const POLL_MS = 100;
const RESTART_MS = 1_000;
const STOP_MS = 12_000;
const LOG_LINES_SHOWN = 8;

export class RoleProcess {
  readonly role: Role;
  readonly url: string;
  readonly logFile: string;
  readonly #options: RoleOptions;
  #child: ChildProcess | undefined;
  #exit: Promise<void> = Promise.resolve();
  #wasReady = false;
  #stopping = false;
  #fault: string | undefined;

  constructor(options: RoleOptions) {
    this.#options = options;
    this.role = options.role;
    this.url = `http://127.0.0.1:${options.port}`;
    this.logFile = join(options.logFolder, `${options.role}.log`);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    const { role, port, env, logFolder, program = PROGRAM } = this.#options;
    mkdirSync(logFolder, { recursive: true });
    const log = openSync(this.logFile, this.#wasReady ? 'a' : 'w', 0o600);
    // A group of its own: a Ctrl-C at the terminal is ours to pass on, in the right order.
    const child = spawn(
      process.execPath,
      ['--disable-warning=TimeoutNegativeWarning', program, 'serve', '--roles', role],
      {
        env: { ...process.env, ...env, HTTP_PORT: String(port) },
        stdio: ['ignore', log, log, 'ipc'],
        detached: true,
      },
    );
    closeSync(log);
    this.#child = child;
    this.#exit = new Promise((resolve) => {
      child.once('error', (error) => resolve(this.#ended(error.message)));
      child.once('exit', (code, signal) => resolve(this.#ended(signal ?? `exit code ${code}`)));
    });
  }

  /** Resolves when `/readyz` says so. Throws with the end of the log when the process dies before, or at the deadline. */
  async ready(deadline: AbortSignal): Promise<void> {
    for (;;) {
      if (this.#fault) throw new Error(`${this.role} ended (${this.#fault}).\n${this.#lastLines()}`);
      if (deadline.aborted) throw new Error(`${this.role} is not ready in time.\n${this.#lastLines()}`);
      const answer = await fetch(`${this.url}/readyz`, { signal: deadline }).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.ok) break;
      await sleep(POLL_MS);
    }
    this.#wasReady = true;
  }

  /** Sends the process a signal, as a fault would: it is started again if it dies of it. */
  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Asks the process to stop, and after `STOP_MS` ends it. Safe twice. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await this.#exit;
    clearTimeout(timer);
  }

  #ended(how: string): void {
    if (this.#stopping) return;
    if (!this.#wasReady) {
      this.#fault = how;
      return;
    }
    this.#options.onRestart(this.role, how);
    setTimeout(() => {
      if (!this.#stopping) this.start();
    }, RESTART_MS).unref();
  }

  #lastLines(): string {
    try {
      return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n');
    } catch {
      return `${this.logFile} can't be read.`;
    }
  }
}
