/** `rules list`, `get`, `set` and `delete`: the stored rules of the org. */
import { type Command, Option } from 'commander';
import { stringify } from 'yaml';
import { RULE_HIVES } from '../../../responder/hives/hives.ts';
import type { HiveRecord } from '../../../responder/hives/record.ts';
import { csv } from '../../../text/csv.ts';
import { deleteRecord, getRecord, isMissing, listHive, setRecord } from '../../api/hives.ts';
import type { ApiFlags } from '../../api/settings.ts';
import { type Io, painter, prettyJson } from '../../io.ts';
import { clientOf, type JsonFlag, type RowFlags, withApiOptions, withExamples, withRows } from '../../options.ts';
import { readRule } from '../../text/files.ts';
import { clip, table } from '../../text/table.ts';

type Flags = ApiFlags & JsonFlag & { hive: string };
type SetFlags = Flags & { file: string; respond?: string; enable?: boolean; disable?: boolean };

const ERROR_WIDTH = 60;
const EVENTS_WIDTH = 60;

const withHive = (command: Command): Command =>
  withApiOptions(command).addOption(
    new Option('--hive <hive>', 'which hive').choices([...RULE_HIVES]).default('dr-general'),
  );

export function registerRuleRecords(rules: Command, io: Io): void {
  const list = withHive(rules.command('list').summary('list rules').description('Lists the rules of a hive.'));
  withRows(list).action((flags: Flags & RowFlags) => listRules(flags, io));
  withExamples(list, io, [['rules list', 'the rules of the org']]);

  const get = rules.command('get').summary('show a rule').description('Shows a stored rule.');
  withHive(get.argument('<name>', 'the rule')).action((name: string, flags: Flags) => showRule(name, flags, io));
  withExamples(get, io, [['rules get version-answers', 'one rule']]);

  const set = rules
    .command('set')
    .summary('store a rule')
    .description(
      'Stores a rule from a YAML or JSON file. A new rule is enabled unless you add --disable. An existing rule keeps its metadata. The API key needs the rights of the actions in the rule: sensor.task, sensor.tag.',
    )
    .argument('<name>', 'the rule')
    .requiredOption('--file <file>', 'the rule {detect, respond}, or its detect part; - for standard input')
    .option('--respond <file>', 'a separate file with the list of actions')
    .addOption(new Option('--enable', 'enable the rule').conflicts('disable'))
    .option('--disable', 'store the rule, disabled');
  withHive(set).action((name: string, flags: SetFlags) => storeRule(name, flags, io));
  withExamples(set, io, [
    ['rules set version-answers --file rule.yaml', 'store and enable a rule'],
    ['rules set version-answers --file detect.yaml --respond respond.yaml', 'from two files'],
  ]);

  const remove = rules.command('delete').summary('delete a rule').description('Deletes a rule.');
  withHive(remove.argument('<name>', 'the rule')).action((name: string, flags: Flags) => removeRule(name, flags, io));
  withExamples(remove, io, [['rules delete version-answers', 'one rule']]);
}

const csvRowOf = ({ name, record }: { name: string; record: HiveRecord }) => [
  ...[name, eventsOf(record), record.usr_mtd.enabled, record.sys_mtd.last_error, record.sys_mtd.etag],
];

async function listRules(flags: Flags & RowFlags, io: Io): Promise<void> {
  const rules = await listHive(clientOf(flags, io), flags.hive);
  if (flags.json) io.out(prettyJson(Object.fromEntries(rules.map(({ name, record }) => [name, record]))));
  else if (flags.output === 'csv')
    io.out(csv(['name', 'events', 'enabled', 'last_error', 'etag'], rules.map(csvRowOf)));
  else if (rules.length === 0) io.err(`No rules in ${flags.hive}.\n`);
  else
    io.out(
      table(
        ['RULE', 'EVENTS', 'STATE', 'LAST ERROR'],
        rules.map(({ name, record }) => [
          name,
          clip(eventsOf(record), EVENTS_WIDTH),
          stateOf(record, io),
          clip(record.sys_mtd.last_error, ERROR_WIDTH),
        ]),
        painter(io.colour),
      ),
    );
}

function eventsOf({ data }: HiveRecord): string {
  const { event, events } = (data.detect ?? {}) as { event?: unknown; events?: unknown };
  return (
    [event, events]
      .flat()
      .filter((name) => typeof name === 'string')
      .join(', ') || 'all'
  );
}

function stateOf({ usr_mtd: { enabled, expiry } }: HiveRecord, io: Io): string {
  if (!enabled) return 'disabled';
  return expiry !== 0 && expiry <= io.nowMs() ? 'expired' : 'enabled';
}

async function showRule(name: string, flags: Flags, io: Io): Promise<void> {
  const record = await getRecord(clientOf(flags, io), flags.hive, name);
  io.out(flags.json ? prettyJson(record) : stringify(record.data));
  if (!flags.json && record.sys_mtd.last_error !== '') io.err(`${record.sys_mtd.last_error}\n`);
}

async function storeRule(name: string, flags: SetFlags, io: Io): Promise<void> {
  const client = clientOf(flags, io);
  const rule = readRule(flags.file, flags.respond);
  const old = await getRecord(client, flags.hive, name).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  const metadata = old?.usr_mtd ?? { enabled: true };
  const changed = flags.enable || flags.disable ? { ...metadata, enabled: flags.disable !== true } : metadata;
  await setRecord(client, flags.hive, name, {
    data: JSON.stringify(rule),
    usr_mtd: JSON.stringify(changed),
    ...(old === undefined ? {} : { etag: old.sys_mtd.etag }),
  });
  const { sys_mtd } = await getRecord(client, flags.hive, name);
  if (flags.json) io.out(prettyJson({ name, hive: flags.hive, last_error: sys_mtd.last_error }));
  else io.out(`rule ${name} stored\n`);
  if (sys_mtd.last_error !== '') io.err(`${sys_mtd.last_error}\n`);
}

async function removeRule(name: string, flags: Flags, io: Io): Promise<void> {
  await deleteRecord(clientOf(flags, io), flags.hive, name);
  if (flags.json) io.out(prettyJson({ name, hive: flags.hive }));
  else io.out(`rule ${name} deleted\n`);
}
