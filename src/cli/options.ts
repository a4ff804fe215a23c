/** Options that several commands share, and the client that they configure. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { Client } from './api/client.ts';
import { type ApiFlags, readApiSettings } from './api/settings.ts';
import { CliError } from './errors.ts';
import type { Io } from './io.ts';
import { parseDuration } from './text/duration.ts';

export type JsonFlag = { json?: boolean };
export type TargetFlags = { sid?: string; tag?: string; selector?: string };

/** `--url`, `--oid`, `--api-key`, `--uid`, `--json`. */
export const withApiOptions = (command: Command): Command =>
  command
    .option('--url <url>', 'the server (RT_URL)')
    .option('--oid <uuid>', 'the org (RT_OID)')
    .option('--api-key <key>', 'an API key of the org (RT_API_KEY, which other users of this machine cannot see)')
    .option('--uid <uid>', 'the user of a user key (RT_UID)')
    .option('--json', 'print JSON for programs');

export type RowFlags = JsonFlag & { output?: 'table' | 'csv' };

/** `--output`, for commands that print rows. */
export const withRows = (command: Command): Command =>
  command.addOption(new Option('--output <format>', 'output format').choices(['table', 'csv']).conflicts(['json']));

/** `--sid`, `--tag` and `--selector`: at most one of them. */
export const withTarget = (command: Command): Command =>
  command
    .addOption(new Option('--sid <sid>', 'the sensor with this id').conflicts(['tag', 'selector']))
    .addOption(new Option('--tag <tag>', 'sensors with this tag').conflicts(['sid', 'selector']))
    .addOption(
      new Option('--selector <selector>', 'sensors that the selector matches; * for all')
        .conflicts(['sid', 'tag'])
        .argParser(notEmpty),
    );

/** An unset shell variable must not select every sensor. */
function notEmpty(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It is empty. Use * for all sensors.');
  return text;
}

export const targetOf = ({ sid, tag, selector }: TargetFlags): TargetFlags => ({
  ...(sid === undefined ? {} : { sid }),
  ...(tag === undefined ? {} : { tag }),
  ...(selector === undefined ? {} : { selector }),
});

export const clientOf = (flags: ApiFlags, io: Io): Client =>
  new Client({ ...readApiSettings(flags, io.env), fetch: io.fetch, stopped: io.stopped });

/** A whole number in a range, for options. */
export const wholeNumber =
  (min: number, max: number) =>
  (text: string): number => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max))
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    return value;
  };

/** Seconds from `90`, `15m`, `1h30m`, `2w`. */
export function durationOption(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    if (error instanceof CliError) throw new InvalidArgumentError(error.hint ?? error.message);
    throw error;
  }
}

/** The examples in the help of a command: the arguments and their meaning. */
export const withExamples = (command: Command, io: Io, examples: readonly (readonly [string, string])[]): Command => {
  const lines = examples.map(([args, meaning]) => `  # ${meaning}\n  ${io.name} ${args}\n`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
};
