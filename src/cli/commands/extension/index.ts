/** `extension`: what concerns the extension as a whole. */
import type { Command } from 'commander';
import type { Io } from '../../io.ts';
import { withExamples } from '../../options.ts';
import { registerConvertRules } from './convert-rules.ts';

export function registerExtension(program: Command, io: Io): void {
  const extension = program
    .command('extension')
    .summary('legacy rules of the extension')
    .description('Moves rules of the service before the extension over.');
  withExamples(extension, io, [
    ['extension convert_rules --file rules.json --out converted.json', 'convert a file of rules'],
  ]);
  registerConvertRules(extension, io);
}
