/**
 * The program: connects the commands with the real streams, and exits with their exit code. The first Ctrl-C or SIGTERM asks the
 * command to end, the second one ends the process. A child with a channel to its parent also ends when the parent ends, after a
 * grace period.
 */
import { basename } from 'node:path';
import { type Io, readLine, wantsColour } from './io.ts';
import { runCli } from './program.ts';

/** When the parent ends, the services that it started, such as Kafka, end too. Waiting for them is useless. */
const ORPHAN_GRACE_MS = 2_000;
const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143 } as const;

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping.signal.aborted) process.exit(SIGNAL_EXIT[signal]);
    stopping.abort();
  });
}
if (process.channel) {
  process.once('disconnect', () => {
    stopping.abort();
    setTimeout(() => process.exit(1), ORPHAN_GRACE_MS).unref();
  });
  process.channel.unref();
}
// A reader that stops early (`| head`) is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
process.stderr.on('error', () => {});

const terminal = process.stdout.isTTY === true;
const errTerminal = process.stderr.isTTY === true;
const io: Io = {
  name: basename(process.argv[1] ?? '') === 'reliable-tasking' ? 'reliable-tasking' : 'rt',
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  terminal,
  colour: wantsColour(terminal, process.env),
  errTerminal,
  errColour: wantsColour(errTerminal, process.env),
  inTerminal: process.stdin.isTTY === true,
  readLine: () => readLine(process.stdin, stopping.signal),
  // A pipe or a file has no width, so nothing is truncated.
  columns: process.stdout.columns ?? (terminal ? 120 : 1_000),
  env: process.env,
  fetch: globalThis.fetch,
  nowMs: Date.now,
  stopped: stopping.signal,
};

const EXIT_GRACE_MS = 250;

process.exitCode = await runCli(process.argv.slice(2), io);
// A connection that a library keeps open must not keep the process alive.
setTimeout(() => process.exit(), EXIT_GRACE_MS).unref();
