/** Errors and hints for wrong usage of the command line: those that commander reports, and others. */
import type { Command, CommanderError } from 'commander';
import { EXIT } from './codes.ts';
import { CliError, usageError } from './errors.ts';

/** Commander also throws after help and version. Then there is nothing to report. */
export const HELP_SHOWN = 'help_shown';

/** The command that the arguments name, as far as they name one. */
export function commandOf(program: Command, args: readonly string[]): Command {
  let command = program;
  for (const arg of args) {
    const next = command.commands.find((sub) => sub.name() === arg);
    if (next !== undefined) command = next;
    else if (!arg.startsWith('-')) break;
  }
  return command;
}

const pathOf = (command: Command): string => (command.parent ? `${pathOf(command.parent)} ` : '') + command.name();

export const seeHelp = (command: Command): string => `See ${pathOf(command)} --help.`;

/** A group without a subcommand has printed its help, as wrong usage. */
export function ofCommander(error: CommanderError, command: Command): CliError {
  if (error.exitCode === 0) return new CliError(HELP_SHOWN, '', { exitCode: EXIT.ok });
  if (error.code === 'commander.help') return new CliError(HELP_SHOWN, '', { exitCode: EXIT.usage });
  const sentence = error.message.replace(/^error: /, '').replace(/\n/g, ' ');
  const advice = adviceFor(error.code, command);
  return usageError(capital(sentence), `${advice}${advice && ' '}${seeHelp(command)}`);
}

const capital = (sentence: string): string => sentence.charAt(0).toUpperCase() + sentence.slice(1);

function adviceFor(code: string, command: Command): string {
  const takes = (name: string) => command.registeredArguments.some((argument) => argument.name() === name);
  const path = pathOf(command);
  if (code === 'commander.unknownOption' && takes('command'))
    return `Put -- before a command line with options of its own, or quote it: ${path} -- dir_list --depth 2.`;
  if (code === 'commander.excessArguments' && takes('selector'))
    return `Quote the selector: ${path} 'plat == windows'${takes('sid') ? ' SID' : ''}.`;
  if (code === 'commander.excessArguments' || code === 'commander.missingArgument')
    return `Usage: ${path} ${command.usage()}.`;
  return '';
}

/** `task help` asks for help. As an argument, it would be sent to every sensor. Throws unless it is after `--`. */
export function refuseHelpAsArgument(command: Command, args: readonly string[]): void {
  const isMeant = args.includes('--') && args.lastIndexOf('help') > args.indexOf('--');
  const [argument] = command.registeredArguments;
  if (argument === undefined || command.args[0] !== 'help' || isMeant) return;
  const sentence = `'help' is not accepted as the ${argument.name()}.`;
  throw usageError(sentence, `${seeHelp(command)} To pass the word itself: ${pathOf(command)} -- help.`);
}
