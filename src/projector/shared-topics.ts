/**
 * Writes the dead letters of `org-settings` and `sensor-state`. Whoever needs these reads all of them by himself and passes over
 * what can't be read, so no reader is the one to say so: a group of its own, in which projectors share the partitions,
 * reads along and judges each record once. Letters first, the commit last: a crash can repeat a letter, never lose one.
 */
import { persist } from '../async/clock.ts';
import { checkSensorState } from '../command/check-written.ts';
import type { Batch, DeadLetter, Group, InRecord, RolePorts } from '../ports.ts';

export const INSPECTOR_GROUP = 'reliable-tasking-inspector';

type Ports = Pick<RolePorts, 'clock' | 'config' | 'inbox' | 'log' | 'metrics' | 'outbox'>;

/** Records without a value delete what they name; all others have to be read by somebody. */
async function deadLettersOf({ inbox }: Ports, topic: Batch['topic'], records: InRecord[]): Promise<DeadLetter[]> {
  const held = records.filter(({ value }) => value !== null);
  if (topic === 'orgSettings') {
    const decoded = await inbox.decode('OrgSetting', held);
    return decoded.flatMap((item) => ('refusal' in item ? [{ record: item.record, ...item.refusal }] : []));
  }
  const decoded = await inbox.decode('SensorState', held);
  return decoded.flatMap((item) => {
    const { record } = item;
    const refusal = 'refusal' in item ? item.refusal : checkSensorState(record.key?.toString() ?? null, item.value);
    return refusal ? [{ record, ...refusal }] : [];
  });
}

export async function startInspector(ports: Ports): Promise<{ stop(): Promise<void> }> {
  const { clock, config, inbox, log, metrics, outbox } = ports;
  const group: Group = await inbox.join({
    groupId: config.KAFKA_TOPIC_PREFIX + INSPECTOR_GROUP,
    topics: ['orgSettings', 'sensorState'],
    onAssigned: () => undefined,
    wanted: async () => null,
    onBatch: async ({ topic, partition, records, nextOffset, alive }) => {
      const deadLetters = await persist(
        clock,
        alive,
        async () => {
          const found = await deadLettersOf(ports, topic, records);
          await outbox.deadLetters(found);
          return found;
        },
        (error) => log.warn({ err: error, topic }, 'records cannot be inspected yet'),
      );
      if (deadLetters === undefined || !alive()) return false;
      for (const { code } of deadLetters) metrics.deadLettered(code);
      await group.commit(topic, partition, nextOffset);
      return true;
    },
  });
  return { stop: () => group.stop() };
}
