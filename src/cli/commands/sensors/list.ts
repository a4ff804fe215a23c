/** `sensors list`: lists the sensors that the options select. */
import { type Command, Option } from 'commander';
import { architectureName, platformName } from '../../../model/platforms.ts';
import { tagSelector } from '../../../selector/language/targets.ts';
import { csv } from '../../../text/csv.ts';
import type { SensorInfo, SensorsPage } from '../../api/answers.ts';
import type { Client } from '../../api/client.ts';
import type { ApiFlags } from '../../api/settings.ts';
import { type Io, type Paint, painter, prettyJson } from '../../io.ts';
import { clientOf, type RowFlags, wholeNumber, withApiOptions, withExamples, withRows } from '../../options.ts';
import { clip, table } from '../../text/table.ts';
import { utcText } from '../../text/time.ts';

type Flags = ApiFlags &
  RowFlags & { selector?: string; tag?: string; online?: boolean; ip?: string; hostname?: string; limit: number };

const PAGE = 2_000;
const LIMIT = 1_000;
const CSV_FIELDS = [
  ...['sid', 'hostname', 'plat', 'arch', 'int_ip', 'ext_ip', 'alive', 'enroll', 'tags'],
  ...['should_isolate', 'is_isolated'],
] as const;

export function registerSensorList(sensors: Command, io: Io): void {
  const command = sensors
    .command('list')
    .summary('list sensors')
    .description('Lists all sensors, or those that match the options.');
  withApiOptions(withRows(command))
    .addOption(new Option('--tag <tag>', 'only sensors with this tag').conflicts(['selector']))
    .option('--selector <selector>', 'only sensors that the selector matches')
    .option('--online', 'only online sensors')
    .option('--ip <address>', 'only sensors with this internal or external address')
    .option('--hostname <prefix>', 'only sensors whose hostname starts with this')
    .option('--limit <n>', 'at most so many', wholeNumber(1, 10_000_000), LIMIT)
    .action((flags: Flags) => list(flags, io));
  withExamples(command, io, [
    ['sensors list --tag production --online', 'online sensors with a tag'],
    ["sensors list --selector 'plat == linux' --output csv --limit 1000000", 'all Linux sensors, for a spreadsheet'],
    ["sensors list --json | jq -r '.sensors[].sid'", 'for programs'],
  ]);
}

async function list(flags: Flags, io: Io): Promise<void> {
  const { sensors, more } = await gather(clientOf(flags, io), flags);
  if (flags.json) io.out(prettyJson({ sensors }));
  else if (flags.output === 'csv') io.out(csv(CSV_FIELDS, sensors.map(csvRow)));
  else if (sensors.length === 0) io.err('No sensors.\n');
  else io.out(sensorsTable(sensors, painter(io.colour), io.columns));
  if (more) io.err(`More sensors: add --limit ${flags.limit * 10}\n`);
}

async function gather(client: Client, flags: Flags): Promise<{ sensors: SensorInfo[]; more: boolean }> {
  const sensors: SensorInfo[] = [];
  const selector = flags.tag === undefined ? flags.selector : tagSelector(flags.tag);
  const query = new URLSearchParams({
    ...(selector === undefined ? {} : { selector }),
    ...(flags.ip === undefined ? {} : { with_ip: flags.ip }),
    ...(flags.hostname === undefined ? {} : { with_hostname_prefix: flags.hostname }),
    ...(flags.online ? { is_online_only: 'true' } : {}),
  });
  for (;;) {
    query.set('limit', String(Math.min(PAGE, flags.limit - sensors.length)));
    const page = await client.call<SensorsPage>('GET', `/v1/sensors/{oid}?${query}`);
    for (const sensor of page.sensors) sensors.push(sensor);
    const token = page.continuation_token;
    if (token === undefined || sensors.length >= flags.limit) return { sensors, more: token !== undefined };
    query.set('continuation_token', token);
  }
}

const csvRow = (sensor: SensorInfo): unknown[] =>
  CSV_FIELDS.map((field) => {
    if (field === 'plat') return platformName(sensor.plat);
    return field === 'arch' ? architectureName(sensor.arch) : sensor[field];
  });

export function sensorsTable(sensors: readonly SensorInfo[], paint: Paint, columns: number): string {
  const wide = Math.max(16, Math.floor((columns - 90) / 2));
  const rows = sensors.map((sensor) => [
    sensor.sid,
    clip(sensor.hostname, Math.max(wide, 20)),
    platformName(sensor.plat),
    sensor.int_ip,
    utcText(sensor.alive),
    clip(sensor.tags.join(' '), wide),
  ]);
  return table(['SENSOR', 'HOST', 'PLATFORM', 'ADDRESS', 'LAST HEARD OF', 'TAGS'], rows, paint);
}
