/** Everything that the roles write: each record to its topic, with its key, in the configured encoding. */
import { unavailable } from '../../errors.ts';
import type { DeadLetter, InRecord, Outbox } from '../../ports.ts';
import { topicNames } from '../../topics.ts';
import type { Codec } from '../avro/codec.ts';
import { deadLetterRecord, firstMaxBytes, smallerMaxBytes } from './dead-letter.ts';
import type { OutRecord, Producer } from './producer.ts';

export type OutboxOptions = {
  durable: Producer;
  once: Producer;
  quick: Producer;
  codec: Codec;
  prefix: string;
  nowMs(): number;
  /** Called with the number of our records that Kafka refuses permanently. They are on `dead-letter`. */
  onRefused(topic: string, records: number): void;
};

export function createOutbox({ durable, once, quick, codec, prefix, nowMs, onRefused }: OutboxOptions): Outbox {
  const topics = topicNames(prefix);
  const bury = async (deadLetters: readonly DeadLetter[]): Promise<void> => {
    let left = deadLetters.map((deadLetter) => ({ deadLetter, maxBytes: firstMaxBytes(deadLetter) }));
    while (left.length > 0) {
      const records = left.map(({ deadLetter, maxBytes }) => deadLetterRecord(deadLetter, nowMs(), maxBytes));
      const refused = new Set(await durable.sendWhatFits(topics.deadLetter, records));
      left = left.flatMap(({ deadLetter, maxBytes }, i) => {
        if (!refused.has(records[i] as OutRecord)) return [];
        const next = smallerMaxBytes(maxBytes);
        if (next === null)
          throw unavailable(`${topics.deadLetter} refuses even the smallest dead letter: raise its max.message.bytes.`);
        return [{ deadLetter, maxBytes: next }];
      });
    }
  };
  /** A record that Kafka refuses permanently must not block the rest, and must not be lost silently. */
  const send = async (topic: string, records: OutRecord[], producer: Producer = durable): Promise<void> => {
    if (records.length === 0) return;
    const refused = await producer.sendWhatFits(topic, records);
    if (refused.length === 0) return;
    const code = 'record_too_large';
    const message = `The record exceeds the size limit of ${topic}: raise the topic's max.message.bytes.`;
    await bury(refused.map((record) => ({ record: neverWritten(topic, record, nowMs()), code, message })));
    onRefused(topic, refused.length);
  };
  return {
    dispatches: (dispatches) =>
      send(
        topics.dispatch,
        dispatches.map((dispatch) => ({ key: dispatch.sid, value: codec.encode('TaskDispatch', dispatch) })),
        once,
      ),
    taskEvents: (events) =>
      send(
        topics.taskEvents,
        events.map(({ event, epoch }) => ({
          key: event.task_id,
          value: codec.encode('TaskEvent', event),
          headers: { 'rt-epoch': epoch },
        })),
      ),
    sensorStates: (states) =>
      send(
        topics.sensorState,
        states.map(({ oid, sid, partition, state }) => ({
          key: `${oid}/${sid}`,
          value: state === null ? null : codec.encode('SensorState', state),
          partition,
        })),
      ),
    deadLetters: bury,
    commands: (commands) =>
      quick.append(
        topics.commands,
        commands.map((command) => ({ key: command.task_id, value: codec.encode('TaskCommand', command) })),
      ),
    presence: (records) =>
      quick.append(
        topics.presence,
        records.map((record) => ({ key: record.sid, value: codec.encode('SensorPresence', record) })),
      ),
    sensorEvents: (records) =>
      quick.append(
        topics.sensorEvents,
        records.map((record) => ({ key: record.sid, value: codec.encode('SensorEvent', record) })),
      ),
    detections: (detections) =>
      send(
        topics.detections,
        detections.map((detection) => ({ key: detection.oid, value: codec.encode('Detection', detection) })),
      ),
    outputs: (outputs) =>
      send(
        topics.outputs,
        outputs.map((output) => ({
          key: `${output.oid}/${output.output}`,
          value: codec.encode('OutputRecord', output),
        })),
      ),
    settings: (settings) =>
      send(
        topics.orgSettings,
        settings.map((setting) => ({
          key: `${setting.oid}/${setting.kind}/${setting.name}`,
          value: codec.encode('OrgSetting', setting),
        })),
      ),
    setting: async (key, setting) => {
      const value = setting === null ? null : codec.encode('OrgSetting', setting);
      await once.send(topics.orgSettings, [{ key, value }]);
    },
  };
}

/** A record of ours that Kafka refuses, in the form of a record that was read. It never had an offset. */
const neverWritten = (topic: string, { key, value, headers, partition }: OutRecord, nowMs: number): InRecord => ({
  topic,
  partition: partition ?? -1,
  offset: -1,
  key: key === null ? null : Buffer.from(key),
  value,
  timestampMs: nowMs,
  headers: headers ?? {},
});
