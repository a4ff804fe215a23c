/** `sensors tag|untag|isolate|rejoin`: changes what the platform sets on a sensor. Each resolves when the change can be read back. */
import type { Command } from 'commander';
import type { ApiFlags } from '../../api/settings.ts';
import { type Io, painter, prettyJson } from '../../io.ts';
import { clientOf, durationOption, type JsonFlag, withApiOptions, withExamples } from '../../options.ts';
import { visible } from '../../text/table.ts';

type Flags = ApiFlags & JsonFlag & { ttl?: number };
type Call = { method: 'POST' | 'DELETE'; path: string; fields: [name: string, value: string][] };
/** The message after the sid, and the JSON fields. */
type Said = { text: string; fields: object };

export function registerChanges(sensors: Command, io: Io): void {
  const tag = change(sensors, 'tag', 'set tags on a sensor', 'Sets tags on a sensor, with or without an expiry.')
    .argument('<tags...>', 'the tags')
    .option('--ttl <duration>', 'expiry of the tags: seconds, or 90s, 15m, 7d', durationOption)
    .action((sid: string, tags: string[], flags: Flags) => {
      const fields = tags.map((one): [string, string] => ['tags', one]);
      if (flags.ttl !== undefined) fields.push(['ttl', String(flags.ttl)]);
      const said = { text: `has ${tags.join(' ')}`, fields: { added: tags } };
      return send([{ method: 'POST', path: 'tags', fields }], said, sid, flags, io);
    });
  withExamples(tag, io, [
    ['sensors tag sensor-123-abc vip', 'without an expiry'],
    ['sensors tag sensor-123-abc investigated noisy --ttl 2d', 'two tags, for two days'],
  ]);
  const untag = change(
    sensors,
    'untag',
    'take tags away',
    'Removes tags, including tags that the sensor reports itself.',
  )
    .argument('<tags...>', 'the tags')
    .action((sid: string, tags: string[], flags: Flags) => {
      const calls = tags.map((one): Call => ({ method: 'DELETE', path: 'tags', fields: [['tag', one]] }));
      const said = { text: `has no ${tags.join(' ')}`, fields: { removed: tags } };
      return send(calls, said, sid, flags, io);
    });
  withExamples(untag, io, [['sensors untag sensor-123-abc vip', 'one tag']]);
  registerIsolation(sensors, io);
}

function registerIsolation(sensors: Command, io: Io): void {
  const isolation = (method: Call['method'], sid: string, flags: Flags) => {
    const wished = method === 'POST';
    const said = {
      text: `isolation ${wished ? 'requested' : 'end requested'}; the gateway applies it`,
      fields: { should_isolate: wished },
    };
    return send([{ method, path: 'isolation', fields: [] }], said, sid, flags, io);
  };
  const isolate = change(
    sensors,
    'isolate',
    'request the isolation of a sensor',
    'Requests the isolation of a sensor from its network. The gateway applies it.',
  ).action((sid: string, flags: Flags) => isolation('POST', sid, flags));
  withExamples(isolate, io, [['sensors isolate sensor-123-abc', 'the gateway applies it']]);
  const rejoin = change(
    sensors,
    'rejoin',
    'request the end of an isolation',
    'Requests the end of the isolation of a sensor. The gateway applies it.',
  ).action((sid: string, flags: Flags) => isolation('DELETE', sid, flags));
  withExamples(rejoin, io, [['sensors rejoin sensor-123-abc', 'back to the network']]);
}

const change = (sensors: Command, name: string, summary: string, description: string): Command =>
  withApiOptions(sensors.command(name).summary(summary).description(description).argument('<sid>', 'the sensor'));

async function send(calls: Call[], { text, fields: shown }: Said, sid: string, flags: Flags, io: Io): Promise<void> {
  const client = clientOf(flags, io);
  for (const { method, path, fields } of calls)
    await client.call(method, `/v1/${encodeURIComponent(sid)}/${path}`, new URLSearchParams(fields));
  if (flags.json) io.out(prettyJson({ sid, ...shown }));
  else io.out(`${painter(io.colour)('bold', sid)} ${visible(text)}\n`);
}
