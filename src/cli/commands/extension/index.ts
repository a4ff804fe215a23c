/** `extension`: commands of the extension itself. */
import type { Command } from 'commander';
import type { Io } from '../../io.ts';
import { withExamples } from '../../options.ts';
import { registerConvertRules } from './convert-rules.ts';

export function registerExtension(program: Command, io: Io): void {
  const extension = program
    .command('extension')
    .summary('convert legacy rules')
    .description('Converts rules of the former service to the extension.');
  withExamples(extension, io, [
    ['extension convert_rules --file rules.json --out converted.json', 'convert a file of rules'],
  ]);
  registerConvertRules(extension, io);
}
