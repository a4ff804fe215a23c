/**
 * The command line: its commands, and the result of a run. `runCli` never throws and never exits the process. It returns the
 * exit code. Results go to `out`; errors go to `err`, as code, message and hint.
 */
import { Command, CommanderError } from 'commander';
import { version } from '../version.ts';
import { EXIT, EXIT_MEANINGS } from './codes.ts';
import { registerCompletion } from './commands/completion.ts';
import { registerDetections } from './commands/detections.ts';
import { registerExtension } from './commands/extension/index.ts';
import { registerFleet } from './commands/fleet.ts';
import { registerKeys } from './commands/keys/index.ts';
import { OPERATIONS } from './commands/operations/index.ts';
import { registerTopics } from './commands/operations/topics.ts';
import { registerOrgs } from './commands/orgs.ts';
import { registerOutputs } from './commands/outputs.ts';
import { registerRules } from './commands/rules/index.ts';
import { registerSensors } from './commands/sensors/index.ts';
import { registerServe } from './commands/serve.ts';
import { registerStack } from './commands/stack.ts';
import { registerExplain } from './commands/tasks/explain.ts';
import { registerList } from './commands/tasks/list.ts';
import { registerPreview } from './commands/tasks/preview.ts';
import { registerResults } from './commands/tasks/results.ts';
import { registerSelector } from './commands/tasks/selector.ts';
import { registerShow } from './commands/tasks/show.ts';
import { registerTask } from './commands/tasks/task.ts';
import { registerUntask } from './commands/tasks/untask.ts';
import { registerWatch } from './commands/tasks/watch.ts';
import { registerWhy } from './commands/tasks/why.ts';
import { asCliError, type CliError } from './errors.ts';
import { type Io, painter } from './io.ts';
import { commandOf, HELP_SHOWN, ofCommander, refuseHelpAsArgument, seeHelp } from './usage.ts';

/** Longer lines are hard to read. */
const HELP_COLUMNS = 120;

const HELP_COMMAND = ['help [command]', 'show help'] as const;

/** In the order of the help. */
const COMMANDS: readonly [string, readonly ((program: Command, io: Io) => void)[]][] = [
  ['Tasks:', [registerTask, registerUntask, registerList, registerShow, registerResults, registerWhy, registerWatch]],
  ['Sensors:', [registerSensors, registerPreview, registerExplain]],
  ['Rules:', [registerRules, registerDetections, registerOutputs, registerExtension]],
  ['Tenants:', [registerOrgs, registerKeys]],
  ['Server:', [registerServe, registerStack, registerTopics, registerFleet]],
  ['Operations:', OPERATIONS],
  ['Other:', [registerSelector, registerCompletion]],
];

export function buildProgram(io: Io): Command {
  const paint = painter(io.colour);
  const program = new Command(io.name)
    .description('Queues commands for sensors that can be offline.')
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(...HELP_COMMAND)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.err(text),
      // `report` prints it with code and hint, like every other error.
      outputError: () => {},
      getOutHelpWidth: () => Math.min(io.columns, HELP_COLUMNS),
      getErrHelpWidth: () => Math.min(io.columns, HELP_COLUMNS),
      getOutHasColors: () => io.colour,
      getErrHasColors: () => io.errColour,
    })
    .configureHelp({ styleTitle: (title) => paint('bold', title) });
  for (const [group, registrations] of COMMANDS) {
    program.commandsGroup(group);
    for (const register of registrations) register(program, io);
  }
  // Again, so that `help` is in the last group here, and in no group of the subcommands above.
  program.helpCommand(...HELP_COMMAND);
  program.addHelpText(
    'after',
    () => `\n${paint('bold', 'Exit codes:')}\n${exitCodes()}\nHelp for a command: ${io.name} task --help\n`,
  );
  return program;
}

const exitCodes = (): string => EXIT_MEANINGS.map(([code, meaning]) => `  ${code}  ${meaning}\n`).join('');

/** Runs one command line (without the program name). Returns the exit code. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  const program = buildProgram(io);
  try {
    if (args.length === 0) {
      program.outputHelp();
      return EXIT.ok;
    }
    program.hook('preAction', (_, command) => refuseHelpAsArgument(command, args));
    await program.parseAsync([...args], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    const command = commandOf(program, args);
    return report(error instanceof CommanderError ? ofCommander(error, command) : asCliError(error), command, io);
  }
}

/** Prints the error of a command. The default hint for wrong usage is the help of the command. */
function report({ code, message, hint, exitCode }: CliError, command: Command, io: Io): number {
  if (code === HELP_SHOWN) return exitCode;
  const paint = painter(io.errColour);
  io.err(`${paint('red', code)}  ${message}\n`);
  const advice = hint ?? (code === 'usage' ? seeHelp(command) : undefined);
  if (advice) io.err(`${paint('dim', advice.replaceAll('{rt}', io.name))}\n`);
  return exitCode;
}
