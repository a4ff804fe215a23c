/** `rules eval`: evaluates rule cases from a file, without a server. */
import type { Command } from 'commander';
import { type CaseVerdict, evaluateCase } from '../../../rules/rule-cases.ts';
import { type Io, json, painter } from '../../io.ts';
import { withExamples } from '../../options.ts';
import { readList } from '../../text/files.ts';
import { table } from '../../text/table.ts';

type Flags = { file: string; json?: boolean };

export function registerRulesEval(rules: Command, io: Io): void {
  const command = rules
    .command('eval')
    .summary('evaluate rule cases from a file')
    .description(
      'Evaluates a list of cases {id, rule, event, lookups?} and prints whether each matches. The rule is a detect part. No server is needed.',
    )
    .requiredOption('--file <file>', 'the cases, JSON or YAML; - for standard input')
    .option('--json', 'print JSON for programs, one case per line')
    .action((flags: Flags) => {
      const verdicts = readList(flags.file).map((one) => evaluateCase(one, io.nowMs()));
      io.out(flags.json ? verdicts.map(json).join('') : verdictTable(verdicts, io));
    });
  withExamples(command, io, [
    ['rules eval --file cases.json', 'which cases match'],
    ['rules eval --file cases.json --json', 'for programs: one {"id", "match"} per line'],
  ]);
}

function verdictTable(verdicts: readonly CaseVerdict[], io: Io): string {
  const rows = verdicts.map(({ id, match, error }) => [String(id), match ? 'matches' : 'no', error ?? '']);
  return table(['CASE', 'RESULT', 'FAULT'], rows, painter(io.colour));
}
