/** Builds a fleet's clients from the settings, starts it, and closes both in reverse order. */
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { createCodec } from '../edges/avro/codec.ts';
import { askKafka, ensureTopics } from '../edges/kafka/admin.ts';
import { createKafka } from '../edges/kafka/kafkajs/client.ts';
import { createProducer } from '../edges/kafka/producer.ts';
import { startTail } from '../edges/kafka/tail.ts';
import type { RecordName } from '../model/records.ts';
import { TOPICS, type TopicKey, topicNames } from '../topics.ts';
import { type Fleet, type FleetOptions, startFleet } from './run.ts';

/** Connects to Kafka, creates missing topics like the server, and starts the fleet. Rejects with the error of kafkajs if Kafka
 *  does not answer. */
export async function openFleet(config: Config, options: FleetOptions, log: Logger): Promise<Fleet> {
  const topics = topicNames(config.KAFKA_TOPIC_PREFIX);
  const kafka = createKafka(config, log);
  await askKafka(config, log);
  await ensureTopics(kafka, config, log);
  const codec = createCodec({ schemaRegistryUrl: config.SCHEMA_REGISTRY_URL, topicOf: topicOfRecord(topics), log });
  await codec.start();
  const producer = await createProducer(kafka, 'durable');
  return startFleet(options, {
    codec,
    sendPresence: (records) => producer.send(topics.presence, records),
    sendEvents: (records) => producer.send(topics.sensorEvents, records),
    followDispatches: (onRecords) =>
      startTail({ kafka, topic: topics.dispatch, from: 'end', onRecords, log, maxWaitMs: 20 }),
    close: async () => {
      await producer.stop();
      await codec.stop();
    },
    nowMs: Date.now,
    log,
  });
}

/** The topic of each record type, for subject names in a schema registry. */
function topicOfRecord(names: Record<TopicKey, string>): Record<RecordName, string> {
  const pairs = Object.entries(TOPICS).filter(([, topic]) => topic.record !== null);
  return Object.fromEntries(pairs.map(([key, topic]) => [topic.record, names[key as TopicKey]])) as Record<
    RecordName,
    string
  >;
}
