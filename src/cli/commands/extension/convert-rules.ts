/** `extension convert_rules`: converts legacy rules to rules that call the extension. It reads the rules of the org, or a file without a server. */

import { type Command, Option } from 'commander';
import { EXTENSION } from '../../../orgs/table.ts';
import { convertRule } from '../../../rules/convert.ts';
import { counted } from '../../../text/counted.ts';
import type { ApiFlags } from '../../api/settings.ts';
import { cliError, usageError } from '../../errors.ts';
import { type Io, prettyJson } from '../../io.ts';
import { clientOf, withApiOptions, withExamples } from '../../options.ts';
import { readList, writeText } from '../../text/files.ts';
import { convertHives } from './convert-hives.ts';

type Flags = ApiFlags & { name?: string; dryRun: boolean; file?: string; out?: string; json?: boolean };

export function registerConvertRules(extension: Command, io: Io): void {
  const command = extension
    .command('convert_rules')
    .summary('convert legacy rules')
    .description(
      'Replaces each `service request` to reliable-tasking by an `extension request`. It shows each change. With --no-dry-run, it writes the change unless somebody has changed the rule in the meantime. With --file, it reads a list of rules {detect, respond} and writes the converted list. It keeps a rule that cannot be converted, and prints the reason.',
    )
    .option('--name <extension>', 'convert the rules of the org to this extension')
    .option('--dry-run', 'only show the changes', true)
    .option('--no-dry-run', 'write the rules')
    .addOption(
      new Option('--file <file>', 'convert the rules of a file, JSON or YAML; - for standard input').conflicts('name'),
    )
    .option('--out <file>', 'write the converted list to this file (default: standard output)');
  withApiOptions(command).action((flags: Flags) => convert(flags, io));
  withExamples(command, io, [
    ['extension convert_rules --name ext-reliable-tasking', 'show the changes'],
    ['extension convert_rules --name ext-reliable-tasking --no-dry-run', 'write the rules'],
    ['extension convert_rules --file rules.json --out converted.json', 'convert a file of rules'],
  ]);
}

async function convert(flags: Flags, io: Io): Promise<void> {
  if (flags.file !== undefined) return convertFile(flags.file, flags, io);
  const { name } = flags;
  if (name !== EXTENSION)
    throw usageError(
      name === undefined ? 'No rules are given.' : `Rules can only be converted to ${EXTENSION}.`,
      `Use --name ${EXTENSION} for the rules of the org, or --file rules.json for a file.`,
    );
  return convertHives(clientOf(flags, io), name, !flags.dryRun, flags.json === true, io);
}

function convertFile(file: string, { out, json: asJson }: Flags, io: Io): void {
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
  else io.err(`${converted} of ${counted(rules.length, 'rule')} converted\n`);
  if (failed.length > 0) throw cliError('not_converted', `${counted(failed.length, 'rule')} cannot be converted.`);
}

function nameOf(rule: unknown, index: number): string {
  const { name } = (typeof rule === 'object' && rule !== null ? rule : {}) as { name?: unknown };
  return typeof name === 'string' ? `Rule ${name}` : `Rule number ${index + 1}`;
}
