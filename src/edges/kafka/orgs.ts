/** The tables of orgs and settings, up to date with `org-settings`: every process reads the whole topic. */
import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { sharedRuns } from '../../async/shared-runs.ts';
import type { OrgSetting } from '../../model/records.ts';
import { SettingsTable } from '../../orgs/settings.ts';
import { OrgTable } from '../../orgs/table.ts';
import type { Orgs } from '../../ports.ts';
import type { Codec } from '../avro/codec.ts';
import { decodeAll } from './inbox.ts';
import { startTail } from './tail.ts';

export async function followOrgs(options: {
  kafka: Kafka;
  topic: string;
  codec: Codec;
  log: Logger;
}): Promise<Orgs & { stop(): Promise<void> }> {
  const { kafka, topic, codec, log } = options;
  const table = new OrgTable();
  const settings = new SettingsTable();
  const apply = (key: string, setting: OrgSetting | null) => {
    table.apply(key, setting);
    settings.apply(key, setting);
  };
  const tail = await startTail({
    kafka,
    topic,
    from: 'beginning',
    log,
    onRecords: async (records) => {
      const decoded = await decodeAll(codec, 'OrgSetting', records);
      for (const item of decoded) {
        const key = item.record.key?.toString() ?? '';
        if (item.record.value === null) apply(key, null);
        else if ('value' in item) apply(key, item.value);
        else
          log.warn(
            { offset: item.record.offset, code: item.refusal.code },
            'setting not readable; ignored until it is written again',
          );
      }
    },
  });
  await tail.caughtUp();
  return {
    table,
    settings,
    refresh: sharedRuns(() => tail.caughtUp()),
    stop: () => tail.stop(),
  };
}
