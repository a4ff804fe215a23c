import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';
import { referencePage } from '../../src/cli/reference.ts';
import { makeIo } from './fixtures.ts';

/** What a command's help says below `Examples:`, without the indentation. */
function examplesOf(command: Command): string {
  let help = '';
  command
    .configureOutput({
      writeOut: (text) => {
        help += text;
      },
    })
    .outputHelp();
  const [, examples = ''] = help.split('\nExamples:\n');
  return examples.trimEnd().replace(/^ {2}/gm, '');
}

it('docs/cli.md is what the commands say of themselves', async () => {
  await expect(referencePage(buildProgram(makeIo()), examplesOf)).toMatchFileSnapshot('../../docs/cli.md');
});
