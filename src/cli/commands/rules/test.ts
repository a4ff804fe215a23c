/** `rules test`: which events of a file a rule matches, without a server. */
import type { Command } from 'commander';
import { evaluateCase } from '../../../rules/cases.ts';
import { RuleError } from '../../../rules/errors.ts';
import { compileRule } from '../../../rules/rule.ts';
import { isObject } from '../../../rules/view.ts';
import { CliError, EXIT } from '../../errors.ts';
import { readList, readRule } from '../../files.ts';
import { type Io, json } from '../../io.ts';
import { withExamples } from '../../options.ts';

type Flags = { file: string; respond?: string; events: string; json?: boolean };

export function registerRulesTest(rules: Command, io: Io): void {
  const command = rules
    .command('test')
    .summary('try a rule on events of a file')
    .description('Says which events {routing, event} of a file a rule matches. Needs no server, and acts on nothing.')
    .requiredOption('--file <file>', 'the rule {detect, respond}, or its detect part')
    .option('--respond <file>', 'the list of actions, where it stands in a file of its own')
    .requiredOption('--events <file>', 'the events: a list, or one a line; - for standard input')
    .option('--json', 'print the events that match as JSON, one a line')
    .action((flags: Flags) => testRule(flags, io));
  withExamples(command, io, [
    ['rules test --file rule.yaml --events events.jsonl', 'how many events the rule matches'],
    ['rules test --file rule.yaml --events events.jsonl --json', 'the events that it matches'],
  ]);
}

function testRule(flags: Flags, io: Io): void {
  const rule = readRule(flags.file, flags.respond);
  const detect = isObject(rule) ? rule.detect : undefined;
  for (const warning of warningsOf(rule)) io.err(`${warning}\n`);
  const events = readList(flags.events);
  const results = events.map((event) => ({ event, ...evaluateCase({ rule: detect, event }, io.nowMs()) }));
  const matched = results.filter(({ match }) => match);
  for (const error of new Set(results.flatMap((one) => one.error ?? []))) io.err(`${error}\n`);
  if (flags.json) io.out(matched.map(({ event }) => json(event)).join(''));
  else io.out(`${matched.length} of ${events.length} events match\n`);
}

function warningsOf(rule: unknown): readonly string[] {
  try {
    return compileRule(rule).warnings;
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    throw new CliError('rule_invalid', error.message, { exitCode: EXIT.invalid });
  }
}
