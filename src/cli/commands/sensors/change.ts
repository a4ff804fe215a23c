/** `sensors tag|untag|isolate|rejoin`: what the platform says of a sensor. Each answers when it can be read back. */
import type { Command } from 'commander';
import type { ApiFlags } from '../../api/settings.ts';
import { type Io, painter, prettyJson } from '../../io.ts';
import { clientOf, durationOption, type JsonFlag, withApiOptions, withExamples } from '../../options.ts';
import { visible } from '../../text/table.ts';

type Flags = ApiFlags & JsonFlag & { ttl?: number };
type Call = { method: 'POST' | 'DELETE'; path: string; fields: [name: string, value: string][] };
/** What a person reads after the sid, and what a program gets beside it. */
type Said = { text: string; fields: object };

export function registerChanges(sensors: Command, io: Io): void {
  const tag = change(sensors, 'tag', 'set tags on a sensor', 'Sets tags on a sensor, for good or for a while.')
    .argument('<tags...>', 'the tags')
    .option('--ttl <duration>', 'for so long: seconds, or 90s, 15m, 7d', durationOption)
    .action((sid: string, tags: string[], flags: Flags) => {
      const fields = tags.map((one): [string, string] => ['tags', one]);
      if (flags.ttl !== undefined) fields.push(['ttl', String(flags.ttl)]);
      const said = { text: `has ${tags.join(' ')}`, fields: { added: tags } };
      return send([{ method: 'POST', path: 'tags', fields }], said, sid, flags, io);
    });
  withExamples(tag, io, [
    ['sensors tag sensor-123-abc vip', 'for good'],
    ['sensors tag sensor-123-abc investigated noisy --ttl 2d', 'two tags, for two days'],
  ]);
  const untag = change(
    sensors,
    'untag',
    'take tags away',
    'Takes tags away, also those that the sensor reports itself.',
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
    const said = { text: `is ${wished ? '' : 'not '}to be isolated`, fields: { should_isolate: wished } };
    return send([{ method, path: 'isolation', fields: [] }], said, sid, flags, io);
  };
  const isolate = change(
    sensors,
    'isolate',
    'ask for its isolation',
    'Asks for a sensor to be cut off the network.',
  ).action((sid: string, flags: Flags) => isolation('POST', sid, flags));
  withExamples(isolate, io, [['sensors isolate sensor-123-abc', 'whoever links it reads the wish']]);
  const rejoin = change(sensors, 'rejoin', 'end its isolation', 'Asks for the isolation of a sensor to end.').action(
    (sid: string, flags: Flags) => isolation('DELETE', sid, flags),
  );
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
