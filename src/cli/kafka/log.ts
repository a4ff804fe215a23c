/** Opens topics for commands that read and write them. Opened from the environment, and always closed at the end. */
import type { Config } from '../../config.ts';
import type { Codec } from '../../edges/avro/codec.ts';
import type { createKafka } from '../../edges/kafka/kafkajs/client.ts';
import type { OutRecord } from '../../edges/kafka/producer.ts';
import type { Tail } from '../../edges/kafka/tail.ts';
import { RECORD_NAMES, type RecordName, type RecordTypes } from '../../model/records.ts';
import type { Decoded, InRecord } from '../../ports.ts';
import { TOPICS, type TopicKey, topicNames } from '../../topics.ts';
import type { Io } from '../io.ts';
import { kafkaConfig, logTo, openKafka } from './kafka.ts';

export type Log = {
  config: Config;
  kafka: ReturnType<typeof createKafka>;
  topicOf: Record<RecordName, string>;
  names: Record<TopicKey, string>;
  codec: Codec;
  /** Follows a topic from its beginning, until it is stopped. */
  follow(topic: TopicKey, onRecords: (records: InRecord[]) => Promise<void>): Promise<Tail>;
  /** First offset and end offset, by partition. */
  ends(topic: TopicKey): Promise<Map<number, { low: number; high: number }>>;
  committed(groupId: string, topic: TopicKey): Promise<Map<number, number>>;
  decode<N extends RecordName>(name: N, records: InRecord[]): Promise<Decoded<RecordTypes[N]>[]>;
  /** The present records of a topic, from these offsets (by partition) or from its beginning. Reading stops early when `ended`
   *  aborts. */
  read(
    topic: TopicKey,
    from: 'beginning' | Map<number, number>,
    onRecords: (records: InRecord[]) => void,
    ended?: Promise<void>,
  ): Promise<void>;
  /** First offset that was appended at or after the time, by partition. */
  since(topic: TopicKey, atMs: number): Promise<Map<number, number>>;
  write(topic: TopicKey, records: OutRecord[]): Promise<void>;
  /** A producer that fences off others with the same name. It writes the records of one call in one transaction. */
  sole(name: string): Promise<(records: ReadonlyMap<TopicKey, OutRecord[]>) => Promise<void>>;
};

const topicsOf = (names: Record<TopicKey, string>): Record<RecordName, string> => {
  const keys = Object.keys(TOPICS) as TopicKey[];
  return Object.fromEntries(
    RECORD_NAMES.map((record) => [record, names[keys.find((key) => TOPICS[key].record === record) as TopicKey]]),
  ) as Record<RecordName, string>;
};

/** The subject of each record in a registry. */
export const subjectsOf = (prefix: string): { subject: string; record: RecordName }[] =>
  Object.entries(topicsOf(topicNames(prefix))).map(([record, topic]) => ({
    subject: `${topic}-value`,
    record: record as RecordName,
  }));

export async function withLog<T>(io: Io, work: (log: Log) => Promise<T>): Promise<T> {
  const config = kafkaConfig(io);
  const quiet = logTo('silent');
  const [{ createOffsets }, { startTail }, { createProducer, openSoleProducer }, { createCodec }, { decodeAll }] =
    await Promise.all([
      import('../../edges/kafka/admin.ts'),
      import('../../edges/kafka/tail.ts'),
      import('../../edges/kafka/producer.ts'),
      import('../../edges/avro/codec.ts'),
      import('../../edges/kafka/inbox.ts'),
    ]);
  const names = topicNames(config.KAFKA_TOPIC_PREFIX);
  const kafka = await openKafka(config, quiet);
  const topicOf = topicsOf(names);
  const codec = createCodec({ schemaRegistryUrl: config.SCHEMA_REGISTRY_URL, topicOf });
  const offsets = await createOffsets(kafka);
  const stops: (() => Promise<unknown>)[] = [() => offsets.stop()];
  let producer: ReturnType<typeof createProducer> | undefined;
  try {
    return await work({
      config,
      kafka,
      topicOf,
      names,
      codec,
      read: async (topic, from, onRecords, ended) => {
        const tail = await startTail({ kafka, topic: names[topic], from, onRecords, log: quiet });
        try {
          await Promise.race([tail.caughtUp(), ...(ended ? [ended] : [])]);
        } finally {
          await tail.stop();
        }
      },
      follow: (topic, onRecords) => startTail({ kafka, topic: names[topic], from: 'beginning', onRecords, log: quiet }),
      committed: (groupId, topic) => offsets.committed(groupId, names[topic]),
      ends: (topic) => offsets.ends(names[topic]),
      decode: (name, records) => decodeAll(codec, name, records),
      since: (topic, atMs) => offsets.since(names[topic], atMs),
      sole: async (name) => {
        const opened = await openSoleProducer(kafka, config.KAFKA_TOPIC_PREFIX + name);
        stops.push(() => opened.stop());
        return (records) => opened.send(new Map([...records].map(([topic, mine]) => [names[topic], mine])));
      },
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
