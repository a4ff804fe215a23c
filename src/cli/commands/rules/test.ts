/** `rules test`: shows which events a rule matches, from a file or from recent sensor events. No action runs. */

import { type Command, Option } from 'commander';
import { isUuid } from '../../../model/ids.ts';
import { RuleError } from '../../../rules/errors.ts';
import { compileRule } from '../../../rules/rule.ts';
import { evaluateCase } from '../../../rules/rule-cases.ts';
import { compileStored } from '../../../rules/stored.ts';
import { isObject } from '../../../rules/view.ts';
import { counted } from '../../../text/counted.ts';
import { cliError, usageError } from '../../errors.ts';
import { type Io, json } from '../../io.ts';
import { durationOption, withExamples } from '../../options.ts';
import { readList, readRule } from '../../text/files.ts';
import { replayEvents } from './replay.ts';

type Flags = { file: string; respond?: string; events?: string; replay?: number | true; oid?: string; json?: boolean };

const REPLAY_SECONDS = 3_600;

export function registerRulesTest(rules: Command, io: Io): void {
  const command = rules
    .command('test')
    .summary('test a rule on events')
    .description(
      'Prints which events {routing, event} a rule matches. The events come from a file or, with --replay, from the recent sensor events of the org on KAFKA_BROKERS. Replayed events have no facts and tags beyond those in the event itself. No server is needed, and no action runs.',
    )
    .requiredOption('--file <file>', 'the rule {detect, respond}, or its detect part')
    .option('--respond <file>', 'a separate file with the list of actions')
    .addOption(
      new Option('--events <file>', 'the events: a list, or one per line; - for standard input').conflicts('replay'),
    )
    .option('--replay [duration]', 'sensor events of this period until now (default: 1h)', durationOption)
    .option('--oid <uuid>', 'the org of the events (RT_OID)')
    .option('--json', 'print the matching events as JSON, one per line')
    .action((flags: Flags) => testRule(flags, io));
  withExamples(command, io, [
    ['rules test --file rule.yaml --events events.jsonl', 'the number of matching events'],
    ['rules test --file rule.yaml --events events.jsonl --json', 'the matching events'],
    ['rules test --file rule.yaml --replay', 'on the last hour'],
  ]);
}

async function testRule(flags: Flags, io: Io): Promise<void> {
  const rule = readRule(flags.file, flags.respond);
  const detect = isObject(rule) ? rule.detect : undefined;
  for (const warning of warningsOf(rule)) io.err(`${warning}\n`);
  const faults = new Set<string>();
  const counts = { events: 0, matched: 0 };
  await eachEvent(flags, io, (event) => {
    const { match, error } = evaluateCase({ rule: detect, event }, io.nowMs());
    counts.events += 1;
    if (error !== undefined) faults.add(error);
    if (!match) return;
    counts.matched += 1;
    if (flags.json) io.out(json(event));
  });
  for (const fault of faults) io.err(`${fault}\n`);
  if (!flags.json)
    io.out(`${counts.matched} of ${counted(counts.events, 'event')} ${counts.events === 1 ? 'matches' : 'match'}\n`);
}

async function eachEvent({ events, replay, oid }: Flags, io: Io, onEvent: (event: unknown) => void): Promise<void> {
  if (events !== undefined) {
    for (const event of readList(events)) onEvent(event);
    return;
  }
  if (replay === undefined) throw usageError('The events are missing.', 'Use --events FILE or --replay.');
  const org = oid ?? io.env.RT_OID ?? '';
  if (!isUuid(org)) throw usageError('The org is missing.', 'Use --oid, or set RT_OID.');
  const seconds = replay === true ? REPLAY_SECONDS : replay;
  await replayEvents(org, io.nowMs() - seconds * 1_000, io, onEvent);
}

function warningsOf(rule: unknown): readonly string[] {
  try {
    // A detect part alone can be tested. A rule with actions must pass the checks of a stored rule.
    const compile = isObject(rule) && rule.respond === undefined ? compileRule : compileStored;
    return compile(rule).warnings;
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    throw cliError('rule_invalid', error.message);
  }
}
