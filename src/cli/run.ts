/**
 * The program: gives the commands the real world, and their exit code to the system. The first Ctrl-C or SIGTERM asks the
 * command to end, a second one ends the process. A child that was started with a channel to its parent ends when the parent does,
 * after a moment to do it in order.
 */
import { basename } from 'node:path';
import { type Io, readLine, wantsColour } from './io.ts';
import { runCli } from './program.ts';

/** When the parent ends, services that it started, such as Kafka, end too. Waiting for them is useless. */
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
// Who reads no further (`| head`) is no error of ours.
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
  // What goes into a pipe or a file is read by a program, or later: nothing is cut for it.
  columns: process.stdout.columns ?? (terminal ? 120 : 1_000),
  env: process.env,
  fetch: globalThis.fetch,
  nowMs: Date.now,
  stopped: stopping.signal,
};

const EXIT_GRACE_MS = 250;

process.exitCode = await runCli(process.argv.slice(2), io);
// All is done: a connection that a library keeps open must not keep the process.
setTimeout(() => process.exit(), EXIT_GRACE_MS).unref();
