/** `rules test`: which events a rule matches, of a file or of what sensors have sent lately. Acts on nothing. */

import { type Command, Option } from 'commander';
import { isUuid } from '../../../model/ids.ts';
import { evaluateCase } from '../../../rules/cases.ts';
import { RuleError } from '../../../rules/errors.ts';
import { compileRule } from '../../../rules/rule.ts';
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
    .summary('try a rule on events')
    .description(
      'Says which events {routing, event} a rule matches, of a file or, with --replay, of what the sensors of the org have sent lately, read from KAFKA_BROKERS: as the events stand there, without what is known of the sensor besides. Needs no server, and acts on nothing.',
    )
    .requiredOption('--file <file>', 'the rule {detect, respond}, or its detect part')
    .option('--respond <file>', 'the list of actions, where it stands in a file of its own')
    .addOption(
      new Option('--events <file>', 'the events: a list, or one a line; - for standard input').conflicts('replay'),
    )
    .option('--replay [duration]', 'events of so long ago until now; an hour, unless you say another', durationOption)
    .option('--oid <uuid>', 'the org of the events (RT_OID)')
    .option('--json', 'print the events that match as JSON, one a line')
    .action((flags: Flags) => testRule(flags, io));
  withExamples(command, io, [
    ['rules test --file rule.yaml --events events.jsonl', 'how many events the rule matches'],
    ['rules test --file rule.yaml --events events.jsonl --json', 'the events that it matches'],
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
  if (replay === undefined) throw usageError('There are no events.', 'Give --events FILE or --replay.');
  const org = oid ?? io.env.RT_OID ?? '';
  if (!isUuid(org)) throw usageError('The org is missing.', 'Give --oid, or set RT_OID.');
  const seconds = replay === true ? REPLAY_SECONDS : replay;
  await replayEvents(org, io.nowMs() - seconds * 1_000, io, onEvent);
}

function warningsOf(rule: unknown): readonly string[] {
  try {
    // A detect part alone can be tried; what acts is held to what a stored rule is held to.
    const compile = isObject(rule) && rule.respond === undefined ? compileRule : compileStored;
    return compile(rule).warnings;
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    throw cliError('rule_invalid', error.message);
  }
}
