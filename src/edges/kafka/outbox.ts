/** Everything that the roles write, each record to its topic, under its key, in the encoding in force. */
import type { DeadLetter, Outbox } from '../../outbox.ts';
import { topicNames } from '../../topics.ts';
import type { Codec } from '../avro/codec.ts';
import type { OutRecord, Producer } from './producer.ts';

export type OutboxOptions = {
  durable: Producer;
  once: Producer;
  quick: Producer;
  codec: Codec;
  prefix: string;
  nowMs(): number;
};

export function createOutbox({ durable, once, quick, codec, prefix, nowMs }: OutboxOptions): Outbox {
  const topics = topicNames(prefix);
  const send = async (topic: string, records: OutRecord[]): Promise<void> => {
    if (records.length > 0) await durable.send(topic, records);
  };
  return {
    dispatches: async (dispatches) => {
      if (dispatches.length === 0) return;
      await once.send(
        topics.dispatch,
        dispatches.map((dispatch) => ({ key: dispatch.sid, value: codec.encode('TaskDispatch', dispatch) })),
      );
    },
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
    deadLetters: (letters) =>
      send(
        topics.deadLetter,
        letters.map((letter) => deadLetter(letter, nowMs())),
      ),
    commands: (commands) =>
      quick.place(
        topics.commands,
        commands.map((command) => ({ key: command.task_id, value: codec.encode('TaskCommand', command) })),
      ),
    presence: (records) =>
      quick.place(
        topics.presence,
        records.map((record) => ({ key: record.sid, value: codec.encode('SensorPresence', record) })),
      ),
    sensorEvents: (records) =>
      quick.place(
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
    setting: (key, setting) =>
      once.send(topics.orgSettings, [{ key, value: setting === null ? null : codec.encode('OrgSetting', setting) }]),
  };
}

/** Key and value untouched, the record's own headers kept, ours beside them. */
function deadLetter({ record, code, message }: DeadLetter, nowMs: number): OutRecord {
  const own = Object.fromEntries(Object.entries(record.headers).filter(([, value]) => value !== undefined)) as Record<
    string,
    Buffer
  >;
  return {
    key: record.key,
    value: record.value,
    headers: {
      ...own,
      'rt-source-topic': record.topic,
      'rt-source-partition': String(record.partition),
      'rt-source-offset': String(record.offset),
      'rt-error-code': code,
      'rt-error': message.slice(0, 1_000),
      'rt-failed-at': String(nowMs),
    },
  };
}
