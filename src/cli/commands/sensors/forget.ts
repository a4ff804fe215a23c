/**
 * `sensors forget`: the owner of the sensor removes its facts, tags and presence. It calls the API with a key or, with --kafka,
 * writes FORGOTTEN to `sensor-presence` as the operator.
 */
import type { Command } from 'commander';
import { isName, isUuid } from '../../../model/ids.ts';
import type { ApiFlags } from '../../api/settings.ts';
import { usageError } from '../../errors.ts';
import { type Io, painter, prettyJson } from '../../io.ts';
import { withLog } from '../../kafka/log.ts';
import { clientOf, type JsonFlag, withApiOptions, withExamples } from '../../options.ts';

type Flags = ApiFlags & JsonFlag & { kafka?: boolean };

export function registerForget(sensors: Command, io: Io): void {
  const command = sensors
    .command('forget')
    .summary('forget a sensor')
    .description('Removes a sensor with its facts, tags and presence. It is added again when it connects.')
    .argument('<sid>', 'the sensor');
  withApiOptions(command)
    .option('--kafka', 'write to Kafka as the operator (KAFKA_BROKERS); no API key is needed')
    .action((sid: string, flags: Flags) => forget(sid, flags, io));
  withExamples(command, io, [
    ['sensors forget sensor-123-abc', 'the API key needs the right sensor.del'],
    ['sensors forget sensor-123-abc --kafka --oid 7e41e07b-c44c-43a3-b78d-41f34204789d', 'as the operator'],
  ]);
}

async function forget(sid: string, flags: Flags, io: Io): Promise<void> {
  if (flags.kafka) await write(sid, flags.oid ?? io.env.RT_OID ?? '', io);
  else await clientOf(flags, io).call('DELETE', `/v1/${encodeURIComponent(sid)}`);
  if (flags.json) io.out(prettyJson({ sid, forgotten: true }));
  else io.out(`${painter(io.colour)('bold', sid)} is forgotten\n`);
}

async function write(sid: string, oid: string, io: Io): Promise<void> {
  if (!isUuid(oid)) throw usageError('The org is missing.', 'Use --oid with its UUID, or set RT_OID.');
  if (!isName(sid)) throw usageError(`'${sid}' is not a sid. A sid has 1 to 128 characters of A-Z a-z 0-9 . _ : -`);
  await withLog(io, async ({ codec, write: append }) => {
    await codec.start();
    const value = codec.encode('SensorPresence', {
      event: 'FORGOTTEN',
      oid,
      sid,
      connection_id: '',
      occurred_at: io.nowMs(),
      sensor: null,
      add_tags: [],
      remove_tags: [],
      set_should_isolate: null,
      try_now: false,
    });
    await append('presence', [{ key: sid, value }]);
  });
}
