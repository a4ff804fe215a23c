// The command lines of the scripts: flags that are read strictly, a page of help with examples, and one sentence with exit code 2 for
// any mistake.

import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

/** The sentence for the person who typed it. */
export class WrongUse extends Error {}

/** Longest range that `range` takes. */
const RANGE_MAX = 10_000_000;

/** Returns the flags, the other words, and whether help was requested. Throws WrongUse for an unknown flag, and for words if
 *  `words` is not true. `rest` has what follows `--`. */
export function readFlags<T extends ParseArgsOptionsConfig>(
  args: readonly string[],
  flags: T,
  { words = false }: { words?: boolean } = {},
) {
  const end = args.indexOf('--');
  const [own, rest] = end === -1 ? [args, []] : [args.slice(0, end), args.slice(end + 1)];
  const options = { ...flags, help: { type: 'boolean' as const, short: 'h' } };
  try {
    const { values, positionals } = parseArgs({ args: [...own], options, allowPositionals: words, strict: true });
    const { help, ...others } = values as typeof values & { help?: boolean };
    return { values: others as Omit<typeof values, 'help'>, words: positionals, rest, help: help === true };
  } catch (error) {
    // Keep the first sentence only: Node adds advice about arguments that begin with a dash.
    throw new WrongUse(`${(error as Error).message.split('. ')[0]?.replace(/\.$/, '')}.`);
  }
}

/** A whole number of a flag. Throws WrongUse outside of its range. */
export function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new WrongUse(`${flag} takes a whole number from ${least} to ${most}, not '${text}'.`);
}

/** FROM-TO of a flag, both included. */
export function range(flag: string, text: string, least: number, most: number): { from: number; to: number } {
  const [, from, to] = /^(\d{1,15})-(\d{1,15})$/.exec(text) ?? [];
  if (from === undefined || to === undefined)
    throw new WrongUse(`${flag} takes two whole numbers as FROM-TO, not '${text}'.`);
  const found = { from: wholeNumber(flag, from, least, most), to: wholeNumber(flag, to, least, most) };
  if (found.from > found.to) throw new WrongUse(`${flag} ${text} is empty: write the smaller number first.`);
  if (found.to - found.from >= RANGE_MAX) throw new WrongUse(`${flag} ${text} has more than ${RANGE_MAX} numbers.`);
  return found;
}

/** Returns the result of `read` for the command line. On WrongUse the process prints the sentence and exits with code 2. If `read`
 *  returns undefined, the process prints the help and exits with 0. `name`: how the script is called, such as `npm run sim`. */
export function askedOf<T>(name: string, help: string, read: (args: readonly string[]) => T | undefined): T {
  try {
    const asked = read(process.argv.slice(2));
    if (asked !== undefined) return asked;
    process.stdout.write(help);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof WrongUse)) throw error;
    process.stderr.write(`${error.message} See ${name} -- --help.\n`);
    process.exit(2);
  }
}
