/**
 * The composition root: settings -> clients -> the roles that were asked for -> start; and everything stopped in reverse
 * order. The only place that builds clients, but for those that look whether anybody answers (waiting.ts).
 */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { RecentDetections } from './api/events/recent-detections.ts';
import { registerApi } from './api/routes.ts';
import { systemClock } from './async/clock.ts';
import { createParts, type Parts } from './async/lifetimes.ts';
import type { Config } from './config.ts';
import { createCodec } from './edges/avro/codec.ts';
import { issuerKeys } from './edges/http/jwks.ts';
import { listen } from './edges/http/listen.ts';
import { metrics } from './edges/http/metrics.ts';
import { createHttpServer } from './edges/http/server.ts';
import { createSinks } from './edges/http/sinks.ts';
import { createOffsets, ensureTopics } from './edges/kafka/admin.ts';
import { followDetections } from './edges/kafka/detections.ts';
import { followTaskEvents } from './edges/kafka/feed.ts';
import { createInbox } from './edges/kafka/inbox.ts';
import { createKafka } from './edges/kafka/kafkajs/client.ts';
import { partitionOf } from './edges/kafka/kafkajs/partitioner.ts';
import { type Pulse, refusingWhileAway, startPulse } from './edges/kafka/kafkajs/pulse.ts';
import { createByPosition } from './edges/kafka/kafkajs/read-by-position.ts';
import { followOrgs } from './edges/kafka/orgs.ts';
import { createOutbox } from './edges/kafka/outbox.ts';
import { createProducer } from './edges/kafka/producer.ts';
import { Progress, tellLag } from './edges/kafka/progress.ts';
import { connectRedis, type RedisClient } from './edges/redis/client.ts';
import { createKeyUse } from './edges/redis/key-use.ts';
import { createOutputMemory } from './edges/redis/output-memory.ts';
import { createProjection } from './edges/redis/projection/projection.ts';
import { createResponses } from './edges/redis/responses.ts';
import { createRuleMemory } from './edges/redis/rule-memory.ts';
import { createSettingClaims } from './edges/redis/setting-claims.ts';
import { createStats } from './edges/redis/stats.ts';
import { ApiError } from './errors.ts';
import { startJoiner } from './joiner/joiner.ts';
import type { RecordName } from './model/records.ts';
import { bootstrapSettings } from './orgs/bootstrap.ts';
import type { KeyUse } from './orgs/key-use.ts';
import { createSettings } from './orgs/write-setting.ts';
import type { Role } from './ports.ts';
import { startProjector } from './projector/projector.ts';
import { type ResponderPorts, startResponder } from './responder/responder.ts';
import { TOPICS, topicNames } from './topics.ts';
import { startWhenThere } from './wait-for-services.ts';

/** The same from src and from dist. */
const CONSOLE_FOLDER = fileURLToPath(new URL('../dist/console', import.meta.url));

export type RoleName = 'api' | 'projector' | 'joiner' | 'responder';

const STREAM_ROLES: Record<Exclude<RoleName, 'api'>, (ports: ResponderPorts) => Promise<Role>> = {
  projector: startProjector,
  joiner: startJoiner,
  responder: startResponder,
};

export type Server = { url: string; stop(): Promise<void> };

/** Starts the roles once Kafka and Redis answer; resolves when they run and HTTP listens (/readyz tells when they have caught
 *  up), or when `stopped` before that. */
export async function startServer(
  config: Config,
  roles: readonly RoleName[],
  log: Logger,
  stopped: AbortSignal = new AbortController().signal,
): Promise<Server> {
  if (roles.includes('api') && config.JWT_SECRET === '' && config.JWKS_URL === '') {
    throw new ApiError(
      'config_invalid',
      'JWT_SECRET is not set: tokens are signed with it. Give at least 32 random characters, or JWKS_URL.',
    );
  }
  const given = { config, log, roles, clock: systemClock };
  let parts: Parts | null = null;
  const start = (open: () => Promise<void>): Promise<Server> => {
    parts = createParts(config.SHUTDOWN_MS, log);
    return startRoles(config, roles, log, open, parts);
  };
  const server = startWhenThere(given, start, stopped);
  const nothing: Server = { url: '', stop: async () => {} };
  const ended = once(stopped, 'abort').then(async () => {
    await parts?.stop();
    return nothing;
  });
  return (await Promise.race([server, ended])) ?? nothing;
}

/** `open` frees the port that the server is to listen on. */
async function startRoles(
  config: Config,
  roles: readonly RoleName[],
  log: Logger,
  open: () => Promise<void>,
  parts: Parts,
): Promise<Server> {
  try {
    const ports = await connect(config, log, parts);
    await bootstrap(ports);
    const running = new Map<string, Role>();
    const server = createHttpServer(config, log, {
      report: () => report(running, ports.redis.fault(), ports.pulse.fault()),
    });
    await parts.add(() => server.close());
    if (roles.includes('api')) running.set('api', await startApi(server, ports, parts));
    for (const name of roles) {
      if (name === 'api') continue;
      const role = await STREAM_ROLES[name](ports);
      await parts.add(() => role.stop());
      running.set(name, role);
    }
    await open();
    const url = await listen(server, config);
    log.info({ url, roles }, `listening on ${url}`);
    return { url, stop: parts.stop };
  } catch (error) {
    await parts.stop();
    throw error;
  }
}

type Connected = ResponderPorts & {
  redis: RedisClient;
  keyUse: KeyUse;
  kafka: ReturnType<typeof createKafka>;
  pulse: Pulse;
  codec: ReturnType<typeof createCodec>;
};

/** Connects everything; what was opened first is closed last. */
async function connect(config: Config, log: Logger, parts: Parts): Promise<Connected> {
  const names = topicNames(config.KAFKA_TOPIC_PREFIX);
  const topicOf = Object.fromEntries(
    Object.entries(TOPICS).flatMap(([key, { record }]) =>
      record === null ? [] : [[record, names[key as keyof typeof names]]],
    ),
  ) as Record<RecordName, string>;
  const kafka = createKafka(config, log);
  await ensureTopics(kafka, config, log);
  const codec = createCodec({ schemaRegistryUrl: config.SCHEMA_REGISTRY_URL, topicOf });
  await codec.start();
  await parts.add(() => codec.stop());
  // The projection keeps single-object bytes whatever the topics carry: it must be readable without a registry.
  const stored = createCodec({ topicOf });
  const redis = await connectRedis(config, log);
  await parts.add(() => redis.stop());
  const projection = await createProjection(redis, config, (bytes) => stored.decode('TaskCommand', bytes));
  const opened = async <T extends { stop(): Promise<void> }>(opening: Promise<T>): Promise<T> => {
    const part = await opening;
    await parts.add(() => part.stop());
    return part;
  };
  const pulse = startPulse(createKafka(config, log.child({}, { level: 'silent' })), systemClock);
  await parts.add(() => pulse.stop());
  const [durable, once, quick, offsets] = await Promise.all([
    opened(createProducer(kafka, 'durable')),
    opened(createProducer(kafka, 'once')),
    opened(createProducer(kafka, 'quick')),
    opened(createOffsets(kafka)),
  ]);
  const orgs = await followOrgs({ kafka, topic: names.orgSettings, codec, log });
  await parts.add(() => orgs.stop());
  const progress = new Progress();
  const inbox = createInbox({ kafka, codec, offsets, config, log, clock: systemClock, progress });
  await parts.add(() => inbox.stop());
  const lag = tellLag({ progress, offsets, names, report: metrics.lag, clock: systemClock, log });
  await parts.add(() => lag.stop());
  const outbox = createOutbox({
    ...{ durable, once, quick: refusingWhileAway(quick, pulse), codec },
    prefix: config.KAFKA_TOPIC_PREFIX,
    nowMs: systemClock.nowMs,
    onRefused: (topic, records) => {
      for (let i = 0; i < records; i += 1) metrics.deadLettered('record_too_large');
      log.error(
        { topic, records },
        'Kafka refuses records because of their size: raise max.message.bytes of the topic',
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
    keyUse: createKeyUse(redis),
    inbox,
    outbox,
    projection,
    redis,
    stats: createStats(redis),
    ruleMemory: createRuleMemory(redis),
    outputMemory: createOutputMemory(redis),
    responses: createResponses(redis),
    sinks: createSinks({ outputDir: config.OUTPUT_DIR, allowPrivate: config.OUTPUT_ALLOW_PRIVATE }),
    recordCodec: stored,
    metrics,
    kafka,
    pulse,
    codec,
  };
}

async function bootstrap({ config, orgs, outbox, clock }: Connected): Promise<void> {
  if (config.BOOTSTRAP_OID === '') return;
  const missing = bootstrapSettings(orgs.table, config.BOOTSTRAP_OID, config.BOOTSTRAP_API_KEY, clock.nowMs());
  if (missing.length === 0) return;
  await outbox.settings(missing);
  await orgs.refresh();
}

async function startApi(server: ReturnType<typeof createHttpServer>, ports: Connected, parts: Parts): Promise<Role> {
  const { config, log, clock, orgs, settings, projection, outbox, inbox, recordCodec, kafka, codec } = ports;
  const partitions = (await inbox.ends('presence')).size;
  const feed = await followTaskEvents({ kafka, topic: topicNames(config.KAFKA_TOPIC_PREFIX).taskEvents, codec, log });
  await parts.add(() => feed.stop());
  const bodies = createByPosition(kafka, topicNames(config.KAFKA_TOPIC_PREFIX).sensorEvents);
  await parts.add(() => bodies.stop());
  const detections = new RecentDetections();
  const reported = await followDetections({
    ...{ kafka, codec, log, topic: topicNames(config.KAFKA_TOPIC_PREFIX).detections },
    onDetection: (detection) => detections.add(detection),
  });
  await parts.add(() => reported.stop());
  await registerApi(server, {
    config,
    log,
    nowMs: clock.nowMs,
    clock,
    orgs: orgs.table,
    issuer: config.JWKS_URL === '' ? null : issuerKeys(config.JWKS_URL),
    settings,
    consoleFolder: CONSOLE_FOLDER,
    keyUse: ports.keyUse,
    projection,
    ruleFaults: (oid) => ports.ruleMemory.faults(oid),
    outputMemory: ports.outputMemory,
    detections,
    stats: ports.stats,
    responses: ports.responses,
    sensorEventsAt: async (places) => {
      const records = await bodies.read(places);
      const held = records.filter((record) => record !== null);
      const decoded = new Map((await inbox.decode('SensorEvent', held)).map((item) => [item.record, item]));
      return records.map((record) => {
        const item = record && decoded.get(record);
        return item && 'value' in item ? item.value : null;
      });
    },
    commands: { append: (commands) => outbox.commands(commands) },
    presence: { append: (records) => outbox.presence(records) },
    sensorEvents: { append: (records) => outbox.sensorEvents(records) },
    events: feed,
    presencePartitions: () => partitions,
    presencePartitionOf: (sid) => partitionOf(sid, partitions),
    decodeState: (bytes) => recordCodec.decode('SensorState', bytes),
    stateReader: ({ state, facts }) => recordCodec.decoder('SensorState', ['sensor', ...state], { sensor: facts }),
  });
  return { ready: () => ({ ready: true, detail: 'listening' }), stop: async () => undefined };
}

/** No role can do its work without Redis and Kafka. A process that holds no partition would not miss Kafka by itself. */
function report(running: Map<string, Role>, redisFault: string | null, kafkaFault: string | null) {
  const roles = Object.fromEntries([...running].map(([name, role]) => [name, role.ready()]));
  const part = (fault: string | null) => ({ ready: fault === null, detail: fault ?? 'answers' });
  const [redis, kafka] = [part(redisFault), part(kafkaFault)];
  const ready = redis.ready && kafka.ready && Object.values(roles).every((role) => role.ready);
  return { ready, roles, redis, kafka };
}
