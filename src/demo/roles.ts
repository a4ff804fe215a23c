/**
 * Runs the roles of the server as separate processes, as in production. Each writes a log file and ends when this process ends,
 * because the channel to it closes. A role that dies is restarted, so that users can try to kill one. A role that dies before it
 * was ready is an error, with the last lines of its log.
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
  /** The program to run with `serve --roles ROLE`. Tests replace it. */
  program?: string;
  /** Called when a ready role has died and is restarted. */
  onRestart(role: Role, how: string): void;
};

/** The program has the extension of this file: .ts in a checkout, .js in the package. */
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
    // A separate process group: this process forwards a Ctrl-C in the right order.
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

  /** Resolves when `/readyz` answers 200. Throws with the last log lines if the process dies first, or at the deadline. */
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

  /** Sends the process a signal, to inject a fault. It is restarted if it dies. */
  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Asks the process to stop, and kills it after `STOP_MS`. Safe twice. */
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
