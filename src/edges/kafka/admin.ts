/** Topics: created with their settings if missing, else checked. Offsets: the ends of partitions, and by time. */
import kafkajs, { type Admin, type Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { withinMs } from '../../async/within-ms.ts';
import type { Config } from '../../config.ts';
import { ApiError, unavailable } from '../../errors.ts';
import { TOPICS, type TopicKey, topicConfig, topicNames } from '../../topics.ts';
import { isAway } from '../away.ts';
import { createKafka } from './kafkajs/client.ts';
import { whileLeadersSettle } from './kafkajs/leaders.ts';
import { CHECKED_SETTINGS, faultsOf } from './topic-faults.ts';

export type TopicReport = { created: string[]; existing: string[]; warnings: string[] };

/** Creates missing topics (unless TOPICS_CREATE is false), waits for leaders, and warns of settings that break a guarantee. */
export async function ensureTopics(kafka: Kafka, config: Config, log: Logger): Promise<TopicReport> {
  const names = topicNames(config.KAFKA_TOPIC_PREFIX);
  return withAdmin(kafka, async (admin) => {
    const { missing, existing, warnings } = await look(admin, names, config);
    if (missing.length > 0 && !config.TOPICS_CREATE) {
      throw new ApiError(
        'config_invalid',
        `Topics are missing: ${missing.map((key) => names[key]).join(', ')}. Create them, or set TOPICS_CREATE=true.`,
      );
    }
    if (missing.length > 0) await create(admin, missing, names, config);
    for (const warning of warnings) log.warn(warning);
    return { created: missing.map((key) => names[key]), existing: existing.map((key) => names[key]), warnings };
  });
}

/** Creates nothing: the names of missing topics, and the faults of the others. */
export async function lookAtTopics(kafka: Kafka, config: Config): Promise<{ missing: string[]; warnings: string[] }> {
  const names = topicNames(config.KAFKA_TOPIC_PREFIX);
  return withAdmin(kafka, async (admin) => {
    const { missing, warnings } = await look(admin, names, config);
    return { missing: missing.map((key) => names[key]), warnings };
  });
}

async function withAdmin<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

async function look(admin: Admin, names: Record<TopicKey, string>, config: Config) {
  const there = new Set(await admin.listTopics());
  const keys = Object.keys(TOPICS) as TopicKey[];
  const existing = keys.filter((key) => there.has(names[key]));
  return {
    missing: keys.filter((key) => !there.has(names[key])),
    existing,
    warnings: await findFaults(admin, existing, names, config),
  };
}

/** Brokers of the cluster, and members of each group; 0: the group is empty, or there is none. */
export async function lookAtCluster(
  kafka: Kafka,
  groupIds: string[],
): Promise<{ brokers: number; members: Map<string, number> }> {
  return withAdmin(kafka, async (admin) => {
    const { brokers } = await admin.describeCluster();
    const { groups } = await admin.describeGroups(groupIds);
    return { brokers: brokers.length, members: new Map(groups.map((group) => [group.groupId, group.members.length])) };
  });
}

async function create(admin: Admin, keys: TopicKey[], names: Record<TopicKey, string>, config: Config): Promise<void> {
  // Two processes may start at once: createTopics answers false if another one was faster.
  await admin.createTopics({
    waitForLeaders: true,
    timeout: 15_000,
    topics: keys.map((key) => ({
      topic: names[key],
      numPartitions: config.TOPIC_PARTITIONS,
      replicationFactor: config.TOPIC_REPLICATION,
      configEntries: Object.entries(topicConfig(TOPICS[key], config)).map(([name, value]) => ({ name, value })),
    })),
  });
}

async function findFaults(
  admin: Admin,
  keys: TopicKey[],
  names: Record<TopicKey, string>,
  config: Config,
): Promise<string[]> {
  if (keys.length === 0) return [];
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: keys.map((key) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name: names[key],
      configNames: CHECKED_SETTINGS,
    })),
  });
  const { topics } = await admin.fetchTopicMetadata({ topics: keys.map((key) => names[key]) });
  const partitions = new Map(topics.map((topic) => [topic.name, topic.partitions.length]));
  const faults: string[] = [];
  for (const key of keys) {
    const entries = resources.find((resource) => resource.resourceName === names[key])?.configEntries ?? [];
    const found = Object.fromEntries(entries.map((entry) => [entry.configName, entry.configValue]));
    const replicas = topics.find(({ name }) => name === names[key])?.partitions.map((p) => p.replicas.length) ?? [];
    faults.push(...faultsOf(names[key], key, found, config));
    if (Math.min(...replicas) < config.TOPIC_REPLICATION)
      faults.push(
        `${names[key]} has ${Math.min(...replicas)} replicas; TOPIC_REPLICATION asks for ${config.TOPIC_REPLICATION}.`,
      );
  }
  for (const [one, other] of [
    ['presence', 'sensorEvents'],
    ['presence', 'sensorState'],
    ['commands', 'taskEvents'],
  ] as const) {
    const [a, b] = [partitions.get(names[one]), partitions.get(names[other])];
    if (a !== undefined && b !== undefined && a !== b)
      throw new ApiError(
        'config_invalid',
        `${names[one]} has ${a} partitions and ${names[other]} has ${b}: they must have the same number.`,
      );
  }
  return faults;
}

/** A command reports within 3 s that no broker answers. The start of its process takes a part of this time. */
const FIRST_ANSWER_MS = 2_000;
/** One broker that answers is enough: it knows all others. */
const FIRST_BROKERS = 8;

/** Resolves when a broker answers. Rejects at once if all refuse the connection, else after `boundMs` without an answer. It asks the
 *  brokers in parallel, so that a silent one does not delay the others. */
export async function askKafka(config: Config, log: Logger, boundMs: number = FIRST_ANSWER_MS): Promise<void> {
  const asked = config.KAFKA_BROKERS.slice(0, FIRST_BROKERS).map((broker) =>
    askOne(createKafka({ ...config, KAFKA_BROKERS: [broker] }, log, 0)),
  );
  try {
    await withinMs(boundMs, Promise.any(asked));
  } catch (error) {
    if (!(error instanceof AggregateError))
      throw unavailable(`Kafka does not answer at ${config.KAFKA_BROKERS.join(',')}.`, error);
    // An error that another try cannot change is the one to report.
    throw error.errors.find((one) => !isAway(one)) ?? error.errors[0];
  }
}

async function askOne(kafka: Kafka): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    await admin.describeCluster();
  } finally {
    // Do not wait for a connection that is still being opened.
    void admin.disconnect().catch(() => undefined);
  }
}

export type Offsets = {
  /** Next offset to be written, by partition. */
  ends(topic: string): Promise<Map<number, { low: number; high: number }>>;
  /** First offset appended at or after the time (Unix ms), by partition; the end if no record is that new. */
  since(topic: string, atMs: number): Promise<Map<number, number>>;
  /** The committed offset of the group, by partition; absent if it has committed none. */
  committed(groupId: string, topic: string): Promise<Map<number, number>>;
  stop(): Promise<void>;
};

export async function createOffsets(kafka: Kafka): Promise<Offsets> {
  const admin = kafka.admin();
  await admin.connect();
  return {
    ends: async (topic) => {
      const found = await whileLeadersSettle(() => admin.fetchTopicOffsets(topic));
      return new Map(found.map((p) => [p.partition, { low: Number(p.low), high: Number(p.high) }]));
    },
    since: async (topic, atMs) => {
      const found = await whileLeadersSettle(() => admin.fetchTopicOffsetsByTimestamp(topic, Math.max(atMs, 0)));
      return new Map(found.map((p) => [p.partition, Number(p.offset)]));
    },
    committed: async (groupId, topic) => {
      const [answer] = await whileLeadersSettle(() => admin.fetchOffsets({ groupId, topics: [topic] }));
      const stored = (answer?.partitions ?? []).filter((p) => Number(p.offset) >= 0);
      return new Map(stored.map((p) => [p.partition, Number(p.offset)]));
    },
    stop: () => admin.disconnect(),
  };
}
