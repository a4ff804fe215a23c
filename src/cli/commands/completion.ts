/** `completion`: prints a script that completes commands and options in a shell. */
import { Argument, type Command } from 'commander';
import { completionScript, SHELLS, type Shell } from '../completion.ts';
import type { Io } from '../io.ts';
import { withExamples } from '../options.ts';

export function registerCompletion(program: Command, io: Io): void {
  const command = program
    .command('completion')
    .summary('print a shell completion script')
    .description('Prints a script that completes commands and options in a shell.')
    .addArgument(new Argument('<shell>', 'your shell').choices(SHELLS))
    .action((shell: Shell) => io.out(completionScript(program, shell)));
  withExamples(command, io, [
    [`completion bash > ~/.local/share/bash-completion/completions/${io.name}`, 'for bash'],
    [`completion zsh > ~/.zfunc/_${io.name}`, 'for zsh, with ~/.zfunc in fpath'],
    [`completion fish > ~/.config/fish/completions/${io.name}.fish`, 'for fish'],
  ]);
}
