/** `extension convert_rules` on the rules of an org: shows each change as a diff, or writes it if the rule has not changed since it was read. */

import { RULE_HIVES } from '../../../responder/hives/hives.ts';
import { type Conversion, convertRule } from '../../../rules/convert.ts';
import { counted } from '../../../text/counted.ts';
import type { Client } from '../../api/client.ts';
import { type Listed, listHive, setRecord } from '../../api/hives.ts';
import { asCliError, cliError } from '../../errors.ts';
import { type Io, painter, prettyJson } from '../../io.ts';

type Change = {
  hive: string;
  name: string;
  etag: string;
  before: unknown;
  result: Exclude<Conversion, { state: 'untouched' }>;
};
type Outcome = { hive: string; name: string; state: 'converted' | 'would be converted' | 'failed'; reason?: string };

export async function convertHives(
  client: Client,
  extension: string,
  write: boolean,
  asJson: boolean,
  io: Io,
): Promise<void> {
  const subscriptions = await client.call<Record<string, unknown>>('GET', '/v1/orgs/{oid}/subscriptions');
  if (!Object.hasOwn(subscriptions, extension))
    throw cliError('not_subscribed', `The org is not subscribed to ${extension}.`);
  const changes: Change[] = [];
  for (const hive of RULE_HIVES) changes.push(...changesOf(hive, await listHive(client, hive)));
  const outcomes: Outcome[] = [];
  for (const change of changes) {
    if (!asJson && !write) io.out(diffOf(change, io));
    outcomes.push(await carryOut(client, change, write));
    if (!asJson) tell(outcomes.at(-1) as Outcome, io);
  }
  if (asJson)
    io.out(prettyJson(outcomes.map((outcome, index) => ({ ...outcome, ...(write ? {} : shownOf(changes[index])) }))));
  else if (changes.length === 0) io.out(`no ${extension} rules require updating\n`);
  else if (!write) io.err('flag --no-dry-run to apply these changes\n');
  const failed = outcomes.filter(({ state }) => state === 'failed').length;
  if (failed > 0)
    throw cliError(
      'not_converted',
      `${failed} of ${counted(changes.length, 'rule')} ${failed === 1 ? 'is' : 'are'} not converted.`,
    );
}

const changesOf = (hive: string, rules: readonly Listed[]): Change[] =>
  rules.flatMap(({ name, record }) => {
    const result = convertRule(record.data);
    return result.state === 'untouched' ? [] : [{ hive, name, etag: record.sys_mtd.etag, before: record.data, result }];
  });

/** The request has no metadata, so the metadata of the rule stays. The etag protects a change that somebody made after the listing. */
async function carryOut(client: Client, { hive, name, etag, result }: Change, write: boolean): Promise<Outcome> {
  if (result.state === 'failed') return { hive, name, state: 'failed', reason: result.reasons.join(' ') };
  if (!write) return { hive, name, state: 'would be converted' };
  try {
    await setRecord(client, hive, name, { data: JSON.stringify(result.rule), etag });
    return { hive, name, state: 'converted' };
  } catch (error) {
    return { hive, name, state: 'failed', reason: asCliError(error).message };
  }
}

function tell({ name, state, reason }: Outcome, io: Io): void {
  if (state === 'converted') io.out(`rule ${name} converted\n`);
  if (state === 'failed') io.err(`rule ${name} is not converted: ${reason}\n`);
}

function diffOf({ name, before, result }: Change, io: Io): string {
  if (result.state === 'failed') return '';
  const paint = painter(io.colour);
  const lines = (sign: string, style: 'red' | 'green', value: unknown) =>
    prettyJson(value)
      .trimEnd()
      .split('\n')
      .map((line) => `${paint(style, `${sign} ${line}`)}\n`)
      .join('');
  return `Dry run of change on rule '${name}':\n${lines('-', 'red', before)}${lines('+', 'green', result.rule)}`;
}

const shownOf = (change: Change | undefined): object =>
  change?.result.state === 'converted' ? { before: change.before, after: change.result.rule } : {};
