/** `sensors show`: what is known of one sensor. */
import type { Command } from 'commander';
import { architectureName, platformName } from '../../../model/platforms.ts';
import type { SensorAnswer } from '../../api/answers.ts';
import type { ApiFlags } from '../../api/settings.ts';
import { type Io, type Paint, painter, prettyJson } from '../../io.ts';
import { clientOf, type JsonFlag, withApiOptions, withExamples } from '../../options.ts';
import { facts, visible } from '../../text/table.ts';
import { utcText } from '../../text/time.ts';

export function registerSensorShow(sensors: Command, io: Io): void {
  const command = sensors
    .command('show')
    .summary('one sensor')
    .description('Shows the facts, tags and presence of a sensor.')
    .argument('<sid>', 'the sensor');
  withApiOptions(command).action(async (sid: string, flags: ApiFlags & JsonFlag) => {
    const answer = await clientOf(flags, io).call<SensorAnswer>('GET', `/v1/${encodeURIComponent(sid)}`);
    io.out(flags.json ? prettyJson(answer) : sensorText(answer, painter(io.colour)));
  });
  withExamples(command, io, [
    ['sensors show sensor-123-abc', 'one sensor'],
    ["sensors show sensor-123-abc --json | jq -r '.info.tags[]'", 'its tags, for programs'],
  ]);
}

export function sensorText({ info, is_online }: SensorAnswer, paint: Paint): string {
  const known = (['iid', 'did', 'int_ip', 'ext_ip', 'mac_addr', 'enroll', 'alive'] as const)
    .map((name) => [name, valueText(name, String(info[name] ?? ''))] as const)
    .filter(([, value]) => value !== '');
  return facts(
    [
      ['sensor', info.sid],
      ['host', visible(info.hostname)],
      ['presence', is_online ? paint('green', 'online') : paint('dim', 'offline')],
      ['platform', `${platformName(info.plat)}, ${architectureName(info.arch)}`],
      ...known,
      ['tags', visible(info.tags.join(' ')) || 'none'],
      ['isolation', isolation(info.should_isolate, info.is_isolated)],
    ],
    paint,
  );
}

const valueText = (name: string, text: string): string =>
  name === 'enroll' || name === 'alive' ? utcText(text) : visible(text);

const isolation = (wished: boolean, isIsolated: boolean): string =>
  wished === isIsolated ? (wished ? 'isolated' : 'none') : wished ? 'requested' : 'isolated, end requested';
