/**
 * The streams and environment of a command, so that tests can replace them. Results go to `out`, everything else to `err`.
 * Output is coloured only on a terminal, and not if NO_COLOR is set.
 */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { styleText } from 'node:util';

export type Io = {
  /** The name of the program, for examples. */
  name: string;
  out(text: string): void;
  err(text: string): void;
  /** True if `out` is a terminal. */
  terminal: boolean;
  colour: boolean;
  /** True if `err` is a terminal. */
  errTerminal: boolean;
  errColour: boolean;
  /** True if a user at a terminal can answer a question. */
  inTerminal: boolean;
  /** The next line of input; null if the input ends or the command is stopped first. */
  readLine(): Promise<string | null>;
  columns: number;
  env: Record<string, string | undefined>;
  fetch: typeof globalThis.fetch;
  nowMs(): number;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  stopped: AbortSignal;
};

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan';

export type Paint = (style: Style, text: string) => string;

export const painter =
  (colour: boolean): Paint =>
  (style, text) =>
    colour ? styleText(style, text, { validateStream: false }) : text;

/** True if output may be coloured. NO_COLOR (not empty) and TERM=dumb disable it. */
export const wantsColour = (isTerminal: boolean, env: Record<string, string | undefined>): boolean =>
  isTerminal && !env.NO_COLOR && env.TERM !== 'dumb';

export const json = (value: unknown): string => `${JSON.stringify(value)}\n`;

export const prettyJson = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** The next line of `input`, without the line end; null if `input` ends or `stopped` aborts first. */
export function readLine(input: Readable, stopped: AbortSignal): Promise<string | null> {
  return new Promise((resolve) => {
    if (stopped.aborted) return resolve(null);
    // Without `terminal`, the terminal edits the line, and Ctrl-C remains a signal.
    const lines = createInterface({ input, terminal: false, signal: stopped });
    lines.once('close', () => resolve(null));
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
  });
}

/** Resolves when the user or the system asks to stop. */
export const untilStopped = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
