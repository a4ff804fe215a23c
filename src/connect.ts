/**
 * Connects to Kafka, Redis and the schema registry, and builds what several roles use. What one role uses alone is built where that
 * role is started (server.ts). wait-for-services.ts makes the only other connections: those that check whether anything answers.
 */
import type { Logger } from 'pino';
import { systemClock } from './async/clock.ts';
import type { Parts } from './async/lifetimes.ts';
import type { Config } from './config.ts';
import { type Codec, createCodec } from './edges/avro/codec.ts';
import { metrics } from './edges/http/metrics.ts';
import { createOffsets, ensureTopics } from './edges/kafka/admin.ts';
import { createInbox } from './edges/kafka/inbox.ts';
import { createKafka } from './edges/kafka/kafkajs/client.ts';
import { type Pulse, refusingWhileAway, startPulse } from './edges/kafka/kafkajs/pulse.ts';
import { followOrgs } from './edges/kafka/orgs.ts';
import { createOutbox } from './edges/kafka/outbox.ts';
import { createProducer } from './edges/kafka/producer.ts';
import { Progress, reportLag } from './edges/kafka/progress.ts';
import { connectRedis, type RedisClient } from './edges/redis/client.ts';
import { createProjection } from './edges/redis/projection/projection.ts';
import { createSettingClaims } from './edges/redis/setting-claims.ts';
import { createStats } from './edges/redis/stats.ts';
import type { RecordName } from './model/records.ts';
import { createSettings } from './orgs/write-setting.ts';
import type { RolePorts } from './ports.ts';
import { TOPICS, type TopicKey, topicNames } from './topics.ts';

export type Connections = RolePorts & {
  kafka: ReturnType<typeof createKafka>;
  codec: Codec;
  redis: RedisClient;
  pulse: Pulse;
};

/** Opens everything in order; `parts` closes it in reverse order. */
export async function connect(config: Config, log: Logger, parts: Parts): Promise<Connections> {
  const names = topicNames(config.KAFKA_TOPIC_PREFIX);
  const opened = async <T extends { stop(): Promise<void> }>(opening: Promise<T> | T): Promise<T> => {
    const part = await opening;
    await parts.add(() => part.stop());
    return part;
  };
  const topicOf = topicsByRecord(names);
  const kafka = createKafka(config, log);
  await ensureTopics(kafka, config, log);
  const codec = createCodec({ schemaRegistryUrl: config.SCHEMA_REGISTRY_URL, topicOf });
  await codec.start();
  await opened(codec);
  // The projection keeps single-object encoding whatever the encoding on the topics: it must be readable without a registry.
  const recordCodec = createCodec({ topicOf });
  const redis = await opened(connectRedis(config, log));
  const projection = await createProjection(redis, config, (bytes) => recordCodec.decode('TaskCommand', bytes));
  const pulse = await opened(startPulse(createKafka(config, log.child({}, { level: 'silent' })), systemClock));
  const [durable, once, quick, offsets] = await Promise.all([
    opened(createProducer(kafka, 'durable')),
    opened(createProducer(kafka, 'once')),
    opened(createProducer(kafka, 'quick')),
    opened(createOffsets(kafka)),
  ]);
  const orgs = await opened(followOrgs({ kafka, topic: names.orgSettings, codec, log }));
  const progress = new Progress();
  const inbox = await opened(createInbox({ kafka, codec, offsets, config, log, clock: systemClock, progress }));
  await opened(reportLag({ progress, offsets, names, report: metrics.lag, clock: systemClock, log }));
  const outbox = createOutbox({
    durable,
    once,
    quick: refusingWhileAway(quick, pulse),
    codec,
    prefix: config.KAFKA_TOPIC_PREFIX,
    nowMs: systemClock.nowMs,
    onRefused: (topic, records) => {
      for (let i = 0; i < records; i += 1) metrics.deadLettered('record_too_large');
      log.error(
        { topic, records },
        'records refused by Kafka for their size, and written to dead-letter: raise max.message.bytes of the topic',
      );
    },
  });
  const settings = createSettings({
    table: orgs.settings,
    claims: createSettingClaims(redis),
    append: outbox.setting,
    refresh: orgs.refresh,
    clock: systemClock,
  });
  return {
    config,
    log,
    clock: systemClock,
    orgs,
    settings: { ...settings, write: pulse.guard(settings.write) },
    inbox,
    outbox,
    projection,
    stats: createStats(redis),
    recordCodec,
    metrics,
    kafka,
    codec,
    redis,
    pulse,
  };
}

const topicsByRecord = (names: Record<TopicKey, string>): Record<RecordName, string> =>
  Object.fromEntries(
    Object.entries(TOPICS).flatMap(([key, { record }]) => (record === null ? [] : [[record, names[key as TopicKey]]])),
  ) as Record<RecordName, string>;
