/** `orgs`: creates, lists and deletes orgs through Kafka. */

import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { SettingKind } from '../../model/records.ts';
import { changeSubscription, subscribed } from '../../orgs/subscription.ts';
import { counted } from '../../text/counted.ts';
import { csvOf } from '../../text/csv.ts';
import { cliError, usageError } from '../errors.ts';
import { type Io, painter, prettyJson } from '../io.ts';
import { forgetInRedis, forgetSensors } from '../kafka/forget-org.ts';
import { checkOid, OPERATOR, type Operator, requireKnown, withOperator } from '../kafka/operator.ts';
import { type JsonFlag, type RowFlags, withExamples, withRows } from '../options.ts';
import { clip, facts, table } from '../text/table.ts';

type CreateFlags = JsonFlag & { oid?: string; name?: string; subscribe: boolean };

export function registerOrgs(program: Command, io: Io): void {
  const orgs = program
    .command('orgs')
    .summary('create, list and delete orgs')
    .description('Manages orgs. These commands use Kafka and need no API key.');
  withExamples(orgs, io, [['orgs list', 'all orgs']]);
  const create = orgs
    .command('create')
    .summary('make an org')
    .description('Creates an org and subscribes it to the extension. The org has no API key yet: see keys create.')
    .option('--name <text>', 'display name')
    .option('--oid <uuid>', 'its id (default: a new one)')
    .option('--no-subscribe', 'do not subscribe the org; a key with the right ext.sub can do it later')
    .option('--json', 'print JSON for programs')
    .action((flags: CreateFlags) => withOperator(io, (operator) => createOrg(operator, flags, io)));
  withExamples(create, io, [
    ["orgs create --name 'Branch office'", 'an org, subscribed'],
    ['orgs create --oid 7e41e07b-c44c-43a3-b78d-41f34204789d --no-subscribe', 'with a given id'],
    ['orgs create --json | jq -r .oid', 'for programs'],
  ]);
  const list = orgs
    .command('list')
    .summary('list orgs')
    .description('Lists all orgs, whether they are subscribed, and how many keys they have.')
    .option('--json', 'print JSON for programs');
  withRows(list).action((flags: RowFlags) => withOperator(io, async (operator) => listOrgs(operator, flags, io)));
  withExamples(list, io, [
    ['orgs list', 'on the brokers of KAFKA_BROKERS'],
    ["orgs list --json | jq -r '.orgs[].oid'", 'for programs'],
    ['orgs list --output csv', 'for spreadsheets'],
  ]);
  const remove = orgs
    .command('delete')
    .summary('delete an org')
    .description(
      'Deletes an org with its keys, subscription, rules, outputs and sensors. With REDIS_URL, it also deletes the data of the org in Redis. The tokens of the org end at once, and nothing more is sent to its sensors. Records on other topics stay until their retention ends. Wait a minute before you create an org with the same id: it would inherit records that are written in that minute.',
    )
    .argument('<oid>', 'the org')
    .option('--yes', 'confirm; this cannot be undone')
    .option('--json', 'print JSON for programs')
    .action((oid: string, flags: JsonFlag & { yes?: boolean }) => deleteOrg(checkOid(oid), flags, io));
  withExamples(remove, io, [['orgs delete 7e41e07b-c44c-43a3-b78d-41f34204789d --yes', 'permanently']]);
}

const ORG_FIELDS = ['oid', 'name', 'subscribed', 'keys'] as const;

const kept = { keptMs: Number.POSITIVE_INFINITY };

async function createOrg({ orgs, settings }: Operator, flags: CreateFlags, io: Io): Promise<void> {
  const oid = flags.oid === undefined ? randomUUID() : checkOid(flags.oid);
  const name = flags.name ?? '';
  if (orgs.known(oid)) throw cliError('org_exists', `Org ${oid} already exists.`, 'See {rt} orgs list.');
  await settings.write({ oid, kind: 'ORG', name: oid, value: { name }, by: OPERATOR, ifEtag: '' });
  if (flags.subscribe)
    await changeSubscription(settings, subscribed, { oid, by: OPERATOR, nowMs: io.nowMs(), ...kept });
  if (flags.json) {
    io.out(prettyJson({ oid, name, subscribed: flags.subscribe }));
    return;
  }
  const rows = [['org', oid], ...(name ? [['name', name]] : []), ['subscribed', flags.subscribe ? 'yes' : 'no']];
  io.out(facts(rows as [string, string][], painter(io.colour)));
  io.err(`The org has no API key yet. Create one: ${io.name} keys create --oid ${oid}\n`);
}

function listOrgs({ orgs }: Operator, flags: RowFlags, io: Io): void {
  const rows = orgs.all().map((oid) => ({
    oid,
    name: orgs.nameOf(oid) ?? '',
    subscribed: orgs.subscribed(oid, io.nowMs()),
    keys: [...orgs.keys(oid)].length,
  }));
  rows.sort((a, b) => (`${a.name}/${a.oid}` < `${b.name}/${b.oid}` ? -1 : 1));
  if (flags.json) io.out(prettyJson({ orgs: rows }));
  else if (flags.output === 'csv') io.out(csvOf(ORG_FIELDS, rows));
  else if (rows.length === 0) io.err('There are no orgs.\n');
  else
    io.out(
      table(
        ['ORG', 'NAME', 'SUBSCRIBED', 'KEYS'],
        rows.map((row) => [row.oid, clip(row.name, 40), row.subscribed ? 'yes' : 'no', String(row.keys)]),
        painter(io.colour),
      ),
    );
}

/** Deletes the org first, so that no key has access to it, even if a later step fails. The command can be repeated. */
const KINDS: readonly SettingKind[] = ['ORG', 'API_KEY', 'ENROLLMENT_KEY', 'HIVE', 'OUTPUT', 'SUBSCRIPTION'];

async function deleteOrg(oid: string, flags: JsonFlag & { yes?: boolean }, io: Io): Promise<void> {
  if (!flags.yes)
    throw usageError('This cannot be undone.', `Add --yes to delete the org ${oid} with all its settings.`);
  await withOperator(io, async (operator) => {
    const { settings, log, redis } = operator;
    const found = KINDS.flatMap((kind) => settings.list(oid, kind));
    for (const { kind, name } of found) await settings.write({ oid, kind, name, value: null, by: OPERATOR });
    const sensors = await forgetSensors(log, oid);
    const keys = redis === null ? 0 : await forgetInRedis(redis, oid);
    // Repeats a command that failed halfway, or that had no Redis.
    if (found.length === 0 && sensors === 0 && keys === 0) requireKnown(operator, oid);
    if (flags.json) io.out(prettyJson({ oid, deleted: found.length, sensors, redis: redis !== null }));
    else io.out(`Deleted ${oid}: ${counted(found.length, 'setting')}, ${counted(sensors, 'sensor')}.\n`);
    if (redis === null) io.err('The data of the org in Redis was not deleted. Run the command again with REDIS_URL.\n');
  });
}
