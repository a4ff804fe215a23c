/**
 * A system of the benchmark's own on a stack that others may use as well: topics under a prefix of its own, orgs of its own,
 * the joiner as a process of its own. The projector runs only until the tasks are applied. `stop` removes all that was made.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Admin, Kafka } from 'kafkajs';
import { pino } from 'pino';
import { readConfig } from '../src/config.ts';
import { type Codec, createCodec } from '../src/edges/avro/codec.ts';
import { ensureTopics } from '../src/edges/kafka/admin.ts';
import { createKafka } from '../src/edges/kafka/kafkajs/client.ts';
import { createProducer, type OutRecord, type Producer } from '../src/edges/kafka/producer.ts';
import { JOINER_GROUP } from '../src/joiner/joiner.ts';
import { RECORD_NAMES, type RecordName, type TaskCommand } from '../src/model/records.ts';
import { bootstrapSettings } from '../src/orgs/bootstrap.ts';
import { OrgTable, settingKey } from '../src/orgs/table.ts';
import type { RoleName } from '../src/server.ts';
import { freePort } from '../src/stack/ports.ts';
import { type TopicKey, topicNames } from '../src/topics.ts';
import type { Context } from './bench.ts';
import { type Child, startChild, until } from './child.ts';

const PROGRAM = '../src/cli/main.ts';
const START_MS = 60_000;
/** Tasks are read once a second at the latest, and the projector applies thousands a second. */
const APPLY_MS = 120_000;
const BATCH = 5_000;

/** Redeliveries by time stay out of the measurement, and a pause does not cost the joiner its partitions. */
const SETTINGS = {
  REDELIVERY_FIRST_MS: '3600000',
  REDELIVERY_MAX_MS: '3600000',
  KAFKA_SESSION_MS: '60000',
  SHUTDOWN_MS: '10000',
  LOG_LEVEL: 'warn',
};

export class System {
  readonly prefix = `bench-${randomUUID().slice(0, 8)}-`;
  readonly topics = topicNames(this.prefix);
  readonly codec: Codec = createCodec({
    topicOf: Object.fromEntries(RECORD_NAMES.map((name) => [name, name])) as Record<RecordName, string>,
  });
  readonly oids: string[];
  readonly env: Record<string, string>;
  /** Opens each org. */
  readonly apiKey = randomUUID();
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly redis: Redis;
  readonly folder = mkdtempSync(join(tmpdir(), 'rt-bench-'));
  readonly #children = new Set<Child>();
  readonly #config;
  /** kafkajs warns of leaders that settle just after topics were made. */
  readonly #log = pino({ level: 'error' }, pino.destination(2));
  #producer: Producer | undefined;

  constructor(context: Context, orgs: number) {
    this.oids = Array.from({ length: orgs }, () => randomUUID());
    this.env = {
      ...SETTINGS,
      KAFKA_BROKERS: context.kafkaBrokers.join(','),
      REDIS_URL: context.redisUrl,
      KAFKA_TOPIC_PREFIX: this.prefix,
      JWT_SECRET: randomUUID(),
    };
    this.#config = readConfig(this.env);
    this.kafka = createKafka(this.#config, this.#log);
    this.admin = this.kafka.admin();
    this.redis = new Redis(context.redisUrl);
  }

  /** Topics and orgs. */
  async start(): Promise<void> {
    await ensureTopics(this.kafka, this.#config, this.#log);
    await this.admin.connect();
    this.#producer = await createProducer(this.kafka, 'durable');
    const settings = this.oids.flatMap((oid) => bootstrapSettings(new OrgTable(), oid, this.apiKey, Date.now()));
    await this.produce(
      this.topics.orgSettings,
      settings.map((setting) => ({
        key: settingKey(setting.oid, setting.kind, setting.name),
        value: this.codec.encode('OrgSetting', setting),
      })),
    );
  }

  async produce(topic: string, records: readonly OutRecord[]): Promise<void> {
    for (let i = 0; i < records.length; i += BATCH) await this.#producer?.send(topic, records.slice(i, i + BATCH));
  }

  /** Starts a role; resolves when the projector is ready, and when another listens: the joiner is ready once the projector is. */
  async startRole(role: RoleName, nodeFlags: string[] = []): Promise<Child & { url: string }> {
    const child = await this.spawnRole(role, nodeFlags);
    const { url } = child;
    await until(`the ${role} starts`, child, START_MS, () =>
      answers(`${url}/${role === 'projector' ? 'readyz' : 'healthz'}`),
    );
    return child;
  }

  /** The same without waiting for anything. */
  async spawnRole(role: RoleName, nodeFlags: string[] = []): Promise<Child & { url: string }> {
    const port = await freePort();
    const env = { ...this.env, HTTP_PORT: String(port) };
    const logFile = join(this.folder, `${role}.log`);
    const child = this.keep(startChild(PROGRAM, ['serve', '--roles', role], { env, logFile, nodeFlags }));
    return Object.assign(child, { url: `http://127.0.0.1:${port}` });
  }

  /** Ends with the system. */
  keep(child: Child): Child {
    this.#children.add(child);
    return child;
  }

  /** Writes the commands, and resolves when the joiner holds the tasks and the projector, which is not measured, has left. */
  async queue(commands: TaskCommand[], joiner: Child & { url: string }): Promise<void> {
    const projector = await this.startRole('projector');
    const encode = (command: TaskCommand) => this.codec.encode('TaskCommand', command);
    await this.produce(
      this.topics.commands,
      commands.map((command) => ({ key: command.task_id, value: encode(command) })),
    );
    await until('the joiner holds the tasks', joiner, APPLY_MS, async () => {
      const text = await (await fetch(`${joiner.url}/metrics`)).text();
      return Number(/^rt_pending_tasks (\d+)$/m.exec(text)?.[1]) === commands.length || undefined;
    });
    await projector.stop();
    this.#children.delete(projector);
  }

  /** Next offset to be written, by partition. */
  async ends(topic: TopicKey): Promise<Map<number, number>> {
    const offsets = await this.admin.fetchTopicOffsets(this.topics[topic]);
    return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]));
  }

  /** What the joiner has committed of presence, by partition. */
  async committed(): Promise<Map<number, number>> {
    const [found] = await this.admin.fetchOffsets({
      groupId: this.prefix + JOINER_GROUP,
      topics: [this.topics.presence],
    });
    return new Map((found?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)]));
  }

  /** A joiner has its share of the partitions. */
  async joinerJoined(): Promise<true | undefined> {
    const { groups } = await this.admin.describeGroups([this.prefix + JOINER_GROUP]);
    return (groups[0]?.state === 'Stable' && groups[0].members.length > 0) || undefined;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#children].map((child) => child.stop()));
    await this.#producer?.stop();
    await this.#remove().catch((error: Error) =>
      this.#log.error(`what the benchmark made could not be removed: ${error.message}`),
    );
    await this.admin.disconnect();
    this.redis.disconnect();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #remove(): Promise<void> {
    const there = new Set(await this.admin.listTopics());
    const mine = [...there].filter((topic) => topic.startsWith(this.prefix));
    if (mine.length > 0) await this.admin.deleteTopics({ topics: mine });
    for (const oid of this.oids) {
      for await (const keys of this.redis.scanStream({ match: `{${oid}}:*`, count: 1_000 })) {
        if (keys.length > 0) await this.redis.unlink(...(keys as string[]));
      }
    }
  }
}

export const sumOf = (offsets: Map<number, number>): number => [...offsets.values()].reduce((sum, n) => sum + n, 0);

async function answers(url: string): Promise<true | undefined> {
  const answer = await fetch(url).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.ok ? true : undefined;
}
