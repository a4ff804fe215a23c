/** `rules`: manages detection and response rules. */
import type { Command } from 'commander';
import type { Io } from '../../io.ts';
import { withExamples } from '../../options.ts';
import { registerRulesEval } from './eval.ts';
import { registerRuleRecords } from './records.ts';
import { registerRulesTest } from './test.ts';

export function registerRules(program: Command, io: Io): void {
  const rules = program
    .command('rules')
    .summary('manage detection and response rules')
    .description('Manages and tests detection and response rules.');
  withExamples(rules, io, [['rules eval --file cases.json', 'which cases match']]);
  registerRuleRecords(rules, io);
  registerRulesTest(rules, io);
  registerRulesEval(rules, io);
}
