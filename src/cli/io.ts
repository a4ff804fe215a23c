/**
 * What a command sees of the world, so that tests can give it another one. Results go to `out`, everything else to `err`;
 * colour is used only where a person looks at a terminal and has not set NO_COLOR.
 */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { styleText } from 'node:util';

export type Io = {
  /** How the program was called, for examples. */
  name: string;
  out(text: string): void;
  err(text: string): void;
  /** A person sees `out`. */
  terminal: boolean;
  colour: boolean;
  /** The same for `err`. */
  errTerminal: boolean;
  errColour: boolean;
  /** True if a user at a terminal can answer a question. */
  inTerminal: boolean;
  /** The next line that is typed; null where the input ends, or the command is asked to stop, before that. */
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

/** Colour for this stream and environment: NO_COLOR (not empty) forbids it, and so does TERM=dumb. */
export const wantsColour = (isTerminal: boolean, env: Record<string, string | undefined>): boolean =>
  isTerminal && !env.NO_COLOR && env.TERM !== 'dumb';

export const json = (value: unknown): string => `${JSON.stringify(value)}\n`;

export const prettyJson = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** The next line of `input`, without its end; null where `input` ends or `stopped` aborts before it. */
export function readLine(input: Readable, stopped: AbortSignal): Promise<string | null> {
  return new Promise((resolve) => {
    if (stopped.aborted) return resolve(null);
    // The terminal edits the line by itself, and Ctrl-C stays the signal that it is everywhere else.
    const lines = createInterface({ input, terminal: false, signal: stopped });
    lines.once('close', () => resolve(null));
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
  });
}

/** Resolves when the person or the system asks to stop. */
export const untilStopped = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
