/** The whole system for a test: roles as processes of their own under a topic prefix of their own, an org, its API, and all
 *  that is written to the topics. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { Client } from '../../../src/cli/api/client.ts';
import type { Role } from '../../../src/cli/commands/serve.ts';
import { type Config, readConfig } from '../../../src/config.ts';
import { RoleProcess } from '../../../src/demo/roles.ts';
import { createCodec } from '../../../src/edges/avro/codec.ts';
import { ensureTopics } from '../../../src/edges/kafka/admin.ts';
import { createKafka } from '../../../src/edges/kafka/kafkajs/client.ts';
import { createProducer, type Producer } from '../../../src/edges/kafka/producer.ts';
import { startTail, type Tail } from '../../../src/edges/kafka/tail.ts';
import {
  RECORD_NAMES,
  type RecordName,
  type SensorEvent,
  type SensorPresence,
  type TaskCommand,
  type TaskDispatch,
  type TaskEvent,
} from '../../../src/model/records.ts';
import type { InRecord } from '../../../src/ports.ts';
import { freePort } from '../../../src/stack/ports.ts';
import { type TopicKey, topicNames } from '../../../src/topics.ts';

export const soon = { timeout: 30_000, interval: 25 };

export type Seen = {
  dispatches: { dispatch: TaskDispatch; appendedAtMs: number }[];
  events: TaskEvent[];
  deadLetters: InRecord[];
};

export class System {
  readonly prefix = `it-${randomUUID()}-`;
  readonly oid = randomUUID();
  readonly apiKey = randomUUID();
  readonly topics = topicNames(this.prefix);
  readonly codec = createCodec({
    topicOf: Object.fromEntries(RECORD_NAMES.map((n) => [n, n])) as Record<RecordName, string>,
  });
  readonly seen: Seen = { dispatches: [], events: [], deadLetters: [] };
  readonly roles = new Map<string, RoleProcess>();
  readonly restarts: string[] = [];
  readonly log = pino({ level: 'silent' });
  readonly env: Record<string, string>;
  config!: Config;
  producer!: Producer;
  redis!: Redis;
  client!: Client;
  url = '';
  readonly #tails: Tail[] = [];

  readonly #logFolder: string | undefined;

  constructor(env: Record<string, string> = {}, logFolder?: string) {
    this.#logFolder = logFolder;
    this.env = {
      KAFKA_BROKERS: process.env.KAFKA_BROKERS ?? '',
      REDIS_URL: process.env.REDIS_URL ?? '',
      KAFKA_TOPIC_PREFIX: this.prefix,
      TOPIC_PARTITIONS: '4',
      JWT_SECRET: randomUUID(),
      BOOTSTRAP_OID: this.oid,
      BOOTSTRAP_API_KEY: this.apiKey,
      LOG_LEVEL: 'info',
      ...env,
    };
  }

  /** Starts one process for each name, `joiner` and `joiner-2` being two of one role; resolves when all are ready. */
  async start(names: string[] = ['api', 'projector', 'joiner']): Promise<void> {
    this.config = readConfig(this.env);
    this.redis = new Redis(this.env.REDIS_URL as string);
    this.redis.on('error', () => {}); // it may be away, and comes back by itself
    const kafka = createKafka(this.config, this.log);
    await ensureTopics(kafka, this.config, this.log);
    this.producer = await createProducer(kafka, 'durable');
    const follow = async (topic: TopicKey, onRecord: (record: InRecord) => void) => {
      const options = { kafka, topic: this.topics[topic], from: 'beginning' as const, log: this.log, maxWaitMs: 20 };
      this.#tails.push(await startTail({ ...options, onRecords: (records) => records.forEach(onRecord) }));
    };
    await Promise.all([
      follow('dispatch', (r) =>
        this.seen.dispatches.push({
          dispatch: this.codec.decode('TaskDispatch', r.value as Buffer),
          appendedAtMs: r.timestampMs,
        }),
      ),
      follow('taskEvents', (r) => {
        if (r.headers['rt-epoch']) this.seen.events.push(this.codec.decode('TaskEvent', r.value as Buffer));
      }),
      follow('deadLetter', (r) => this.seen.deadLetters.push(r)),
      this.startRoles(names),
    ]);
  }

  async startRoles(names: string[]): Promise<void> {
    const folder = this.#logFolder ?? mkdtempSync(join(tmpdir(), 'rt-system-'));
    await Promise.all(
      names.map(async (name) => {
        const role = name.split('-')[0] as Role;
        const options = {
          role,
          port: await freePort(),
          env: this.env,
          logFolder: join(folder, name),
          onRestart: (_: Role, how: string) => void this.restarts.push(`${name} ${how}`),
        };
        const process = new RoleProcess(options);
        this.roles.set(name, process);
        process.start();
        await process.ready(AbortSignal.timeout(60_000));
        if (role !== 'api') return;
        this.url = process.url;
        this.client = new Client({
          url: process.url,
          oid: this.oid,
          apiKey: this.apiKey,
          fetch,
          stopped: new AbortController().signal,
        });
      }),
    );
  }

  kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): void {
    this.roles.get(name)?.kill(signal);
  }

  async ready(name: string): Promise<boolean> {
    const answer = await fetch(`${this.roles.get(name)?.url}/readyz`).catch(() => null);
    return answer?.status === 200;
  }

  command(command: Partial<TaskCommand> & { task_id: string }): Promise<void> {
    const whole: TaskCommand = {
      action: 'TASK',
      oid: this.oid,
      task: 'os_version',
      selector: null,
      context: null,
      ttl: 3600,
      issued_at: Date.now(),
      issued_by: 'test',
      untask_selector: null,
      options: null,
      ...command,
    };
    return this.producer.send(this.topics.commands, [
      { key: whole.task_id, value: this.codec.encode('TaskCommand', whole) },
    ]);
  }

  /** Makes an org and subscribes it, for all time. */
  subscribe(oid: string): Promise<void> {
    const setting = (kind: 'ORG' | 'SUBSCRIPTION', name: string, value: object) => ({
      key: `${oid}/${kind}/${name}`,
      value: this.codec.encode('OrgSetting', {
        oid,
        kind,
        name,
        etag: randomUUID(),
        value: JSON.stringify(value),
        updated_at: Date.now(),
        updated_by: 'test',
      }),
    });
    return this.producer.send(this.topics.orgSettings, [
      setting('ORG', oid, { name: 'test' }),
      setting('SUBSCRIPTION', 'ext-reliable-tasking', { periods: [{ from: 0 }] }),
    ]);
  }

  presence(presence: Partial<SensorPresence> & { sid: string }): Promise<void> {
    const whole: SensorPresence = {
      event: 'CONNECTED',
      oid: this.oid,
      connection_id: randomUUID(),
      occurred_at: Date.now(),
      sensor: null,
      add_tags: [],
      remove_tags: [],
      set_should_isolate: null,
      try_now: false,
      ...presence,
    };
    return this.producer.send(this.topics.presence, [
      { key: whole.sid, value: this.codec.encode('SensorPresence', whole) },
    ]);
  }

  answer(answer: Partial<SensorEvent> & { sid: string }, event: object = {}): Promise<void> {
    const whole: SensorEvent = {
      oid: this.oid,
      event_type: 'RECEIPT',
      event_id: randomUUID(),
      occurred_at: Date.now(),
      investigation_id: null,
      task_id: null,
      routing: '{}',
      event: JSON.stringify(event),
      ...answer,
    };
    return this.producer.send(this.topics.sensorEvents, [
      { key: whole.sid, value: this.codec.encode('SensorEvent', whole) },
    ]);
  }

  sent(taskId: string, sid?: string): TaskDispatch[] {
    return this.seen.dispatches
      .map(({ dispatch }) => dispatch)
      .filter((d) => d.task_id === taskId && (sid === undefined || d.sid === sid));
  }

  eventsOf(taskId: string, type: TaskEvent['type'], sid?: string): TaskEvent[] {
    return this.seen.events.filter(
      (e) => e.task_id === taskId && e.type === type && (sid === undefined || e.sid === sid),
    );
  }

  async stop(): Promise<void> {
    await Promise.all([...this.roles.values()].map((role) => role.stop()));
    await Promise.all(this.#tails.map((tail) => tail.stop()));
    await this.producer?.stop();
    this.redis?.disconnect();
  }
}
