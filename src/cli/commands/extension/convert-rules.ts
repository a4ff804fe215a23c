/** `extension convert_rules`: legacy rules become rules that ask the extension. From a file, without a server. */
import type { Command } from 'commander';
import { convertRule } from '../../../rules/convert.ts';
import { CliError, EXIT, usageError } from '../../errors.ts';
import { readList, writeText } from '../../files.ts';
import { type Io, prettyJson } from '../../io.ts';
import { withExamples } from '../../options.ts';

type Flags = { file?: string; out?: string; json?: boolean };

export function registerConvertRules(extension: Command, io: Io): void {
  const command = extension
    .command('convert_rules')
    .summary('convert legacy rules')
    .description(
      'Turns each `service request` to reliable-tasking in a rule into an `extension request`. Reads a list of rules {detect, respond} and writes the list anew; a rule that cannot be converted stays as it is and is named with the reason.',
    )
    .option('--file <file>', 'the rules, JSON or YAML; - for standard input')
    .option('--out <file>', 'where the list goes; without it, standard output')
    .option('--json', 'print JSON for programs')
    .action((flags: Flags) => convertFile(flags, io));
  withExamples(command, io, [
    ['extension convert_rules --file rules.json --out converted.json', 'convert a file of rules'],
  ]);
}

function convertFile({ file, out, json: asJson }: Flags, io: Io): void {
  if (file === undefined) throw usageError('No rules are named.', 'Name a file: --file rules.json.');
  const results = readList(file).map((rule, index) => ({ name: nameOf(rule, index), rule, result: convertRule(rule) }));
  const rules = results.map(({ rule, result }) => (result.state === 'converted' ? result.rule : rule));
  if (out === undefined) io.out(prettyJson(rules));
  else writeText(out, prettyJson(rules));
  const failed = results.flatMap(({ name, result }) =>
    result.state === 'failed' ? [{ name, reasons: result.reasons }] : [],
  );
  const converted = results.filter(({ result }) => result.state === 'converted').length;
  for (const { name, reasons } of failed) io.err(`${name} is not converted: ${reasons.join(' ')}\n`);
  if (asJson && out !== undefined) io.out(prettyJson({ rules: rules.length, converted, failed }));
  else io.err(`${converted} of ${rules.length} rules converted\n`);
  if (failed.length > 0)
    throw new CliError('rule_invalid', `${failed.length} of the rules cannot be converted.`, { exitCode: EXIT.failed });
}

function nameOf(rule: unknown, index: number): string {
  const { name } = (typeof rule === 'object' && rule !== null ? rule : {}) as { name?: unknown };
  return typeof name === 'string' ? `Rule ${name}` : `Rule number ${index + 1}`;
}
