/**
 * Asks for confirmation before a command acts on many sensors. On a terminal, above CONFIRM_ABOVE sensors, the user types their
 * number, or the word yes if they cannot be counted. Any other answer, or the end of the input, ends the command before it
 * changes anything. There is no question with --yes, with --json, or if standard input or error is not a terminal: a program
 * cannot answer.
 */
import type { Command } from 'commander';
import { CONFIRM_ABOVE, isNumberTyped } from '../../model/confirm.ts';
import { counted } from '../../text/counted.ts';
import { EXIT } from '../codes.ts';
import { CliError, cliError } from '../errors.ts';
import { type Io, painter } from '../io.ts';
import type { JsonFlag } from '../options.ts';

export type ConfirmFlags = JsonFlag & { yes?: boolean };

export const withYes = (command: Command): Command =>
  command.option('--yes', `do not ask for confirmation above ${CONFIRM_ABOVE} sensors`);

/** How many sensors the command affects, and the question about them. */
export type Counted = { sensors: number; sentence: string };

export type Act = {
  /** Throws CliError where the sensors cannot be counted. */
  count(): Promise<Counted>;
  /** The question if the sensors cannot be counted. */
  uncounted: string;
  /** The result after any other answer: `Nothing was queued`. */
  nothing: string;
};

/** Returns if the command may continue. Throws `not_confirmed`, `stopped`, or the error of an invalid request. */
export async function confirm(act: Act, flags: ConfirmFlags, io: Io): Promise<void> {
  if (flags.yes || flags.json || !io.inTerminal || !io.errTerminal) return;
  let found: Counted;
  try {
    found = await act.count();
  } catch (error) {
    if (!(error instanceof CliError) || wouldFailToo(error)) throw error;
    const sentence = `The sensors cannot be counted: ${error.message}\n${act.uncounted}`;
    return ask(sentence, 'yes', (answer) => answer.trim().toLowerCase() === 'yes', act, io);
  }
  const { sensors, sentence } = found;
  if (sensors > CONFIRM_ABOVE)
    await ask(sentence, String(sensors), (answer) => isNumberTyped(answer, sensors), act, io);
}

/** True if the command itself would end with the same error. A missing right may concern only the count. */
const wouldFailToo = ({ code, exitCode }: CliError): boolean =>
  code === 'stopped' || exitCode === EXIT.invalid || (exitCode === EXIT.usage && code !== 'forbidden');

async function ask(
  sentence: string,
  expected: string,
  isExpected: (answer: string) => boolean,
  { nothing }: Act,
  io: Io,
): Promise<void> {
  io.err(`${sentence}\nType ${painter(io.errColour)('bold', expected)} to continue: `);
  const answer = await io.readLine();
  // The cursor is still on the line of the question.
  if (answer === null) io.err('\n');
  if (io.stopped.aborted) throw cliError('stopped', `${nothing}.`);
  if (answer !== null && isExpected(answer)) return;
  const why = answer === null ? 'there was no answer' : `the answer is not ${expected}`;
  throw cliError('not_confirmed', `${nothing}: ${why}.`, 'Run the command again, or add --yes to skip the question.');
}

/** `1 sensor`, `3037 sensors`. */
export const sensorsText = (sensors: number): string => counted(sensors, 'sensor');
