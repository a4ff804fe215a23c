/**
 * Writes the dead letters of `org-settings` and `sensor-state`. Every process that needs these topics reads all their records, and
 * passes over those that it cannot read, so none of these readers can be the one that writes the dead letters. This consumer
 * group does: the projectors share its partitions, and each record is judged once.
 */
import { checkSensorState } from '../command/check-written.ts';
import { consume, type Judge, judgeBatch, recordKeyOf, verdictOf, writeDeadLetters } from '../consumer.ts';
import type { SensorState } from '../model/records.ts';
import type { Batch, DeadLetter, Group, RolePorts } from '../ports.ts';

export const INSPECTOR_GROUP = 'reliable-tasking-inspector';

type InspectorPorts = Pick<RolePorts, 'clock' | 'config' | 'inbox' | 'log' | 'metrics' | 'orgs' | 'outbox'>;

const judgeState: Judge<SensorState, null> = (record, state) =>
  verdictOf(checkSensorState(recordKeyOf(record), state), null);

/** A record without a value is a tombstone, and valid. */
async function deadLettersOf(ports: InspectorPorts, { topic, records }: Batch): Promise<DeadLetter[]> {
  const written = records.filter(({ value }) => value !== null);
  const { deadLetters } =
    topic === 'orgSettings'
      ? await judgeBatch(ports, 'OrgSetting', written, () => null)
      : await judgeBatch(ports, 'SensorState', written, judgeState);
  return deadLetters;
}

export async function startInspector(ports: InspectorPorts): Promise<{ stop(): Promise<void> }> {
  const { config, inbox } = ports;
  const group: Group = await inbox.join({
    groupId: config.KAFKA_TOPIC_PREFIX + INSPECTOR_GROUP,
    topics: ['orgSettings', 'sensorState'],
    onAssigned: () => undefined,
    wanted: async () => null,
    onBatch: (batch) =>
      consume(ports, `inspect ${batch.topic}`, batch, {
        perform: async () => {
          await writeDeadLetters(ports, await deadLettersOf(ports, batch));
          return true;
        },
        commit: () => group.commit(batch.topic, batch.partition, batch.nextOffset),
      }),
  });
  return { stop: () => group.stop() };
}
