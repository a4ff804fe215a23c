/** What commands need that read and write topics themselves: opened from the environment, closed at the end whatever happens. */
import type { Config } from '../config.ts';
import type { Codec } from '../edges/avro/codec.ts';
import type { OutRecord } from '../edges/kafka/producer.ts';
import { RECORD_NAMES, type RecordName } from '../model/records.ts';
import type { InRecord } from '../outbox.ts';
import { TOPICS, type TopicKey, topicNames } from '../topics.ts';
import type { Io } from './io.ts';
import { kafkaConfig, logTo } from './kafka.ts';

export type Log = {
  config: Config;
  names: Record<TopicKey, string>;
  codec: Codec;
  /** All that stands on a topic now, from these offsets (by partition), or from its beginning. */
  read(
    topic: TopicKey,
    from: 'beginning' | Map<number, number>,
    onRecords: (records: InRecord[]) => void,
  ): Promise<void>;
  /** First offsets appended at or after the time, by partition. */
  since(topic: TopicKey, atMs: number): Promise<Map<number, number>>;
  write(topic: TopicKey, records: OutRecord[]): Promise<void>;
};

const topicOf = (names: Record<TopicKey, string>): Record<RecordName, string> => {
  const keys = Object.keys(TOPICS) as TopicKey[];
  return Object.fromEntries(
    RECORD_NAMES.map((record) => [record, names[keys.find((key) => TOPICS[key].record === record) as TopicKey]]),
  ) as Record<RecordName, string>;
};

export async function withLog<T>(io: Io, work: (log: Log) => Promise<T>): Promise<T> {
  const config = kafkaConfig(io);
  const quiet = logTo('silent');
  const [{ createKafka }, { createOffsets }, { startTail }, { createProducer }, { createCodec }] = await Promise.all([
    import('../edges/kafka/client.ts'),
    import('../edges/kafka/admin.ts'),
    import('../edges/kafka/tail.ts'),
    import('../edges/kafka/producer.ts'),
    import('../edges/avro/codec.ts'),
  ]);
  const names = topicNames(config.KAFKA_TOPIC_PREFIX);
  const kafka = createKafka(config, quiet);
  const codec = createCodec({ schemaRegistryUrl: config.SCHEMA_REGISTRY_URL, topicOf: topicOf(names) });
  const offsets = await createOffsets(kafka);
  const stops: (() => Promise<unknown>)[] = [() => offsets.stop()];
  let producer: ReturnType<typeof createProducer> | undefined;
  try {
    return await work({
      config,
      names,
      codec,
      read: async (topic, from, onRecords) => {
        const tail = await startTail({ kafka, topic: names[topic], from, onRecords, log: quiet });
        try {
          await tail.caughtUp();
        } finally {
          await tail.stop();
        }
      },
      since: (topic, atMs) => offsets.since(names[topic], atMs),
      write: async (topic, records) => {
        if (producer === undefined) {
          producer = createProducer(kafka, 'durable');
          stops.push(async () => (await producer)?.stop());
        }
        await (await producer).send(names[topic], records);
      },
    });
  } finally {
    for (const stop of stops.reverse()) await stop().catch(() => undefined);
  }
}
