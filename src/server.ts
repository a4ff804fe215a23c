/**
 * The composition root: settings -> connections -> the roles that were asked for -> HTTP; and everything closed in reverse order.
 */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { RecentDetections } from './api/events/recent-detections.ts';
import type { ApiPorts } from './api/ports.ts';
import { registerApi } from './api/routes.ts';
import { systemClock } from './async/clock.ts';
import { createParts, type Parts } from './async/lifetimes.ts';
import type { Config } from './config.ts';
import { type Connections, connect } from './connect.ts';
import { issuerKeys } from './edges/http/jwks.ts';
import { listen } from './edges/http/listen.ts';
import { createHttpServer } from './edges/http/server.ts';
import { createSinks } from './edges/http/sinks.ts';
import { followDetections } from './edges/kafka/detections.ts';
import { followTaskEvents } from './edges/kafka/feed.ts';
import { partitionOf } from './edges/kafka/kafkajs/partitioner.ts';
import { createByPosition } from './edges/kafka/kafkajs/read-by-position.ts';
import { createKeyUse } from './edges/redis/key-use.ts';
import { createOutputMemory } from './edges/redis/output-memory.ts';
import { createResponses } from './edges/redis/responses.ts';
import { createRuleMemory } from './edges/redis/rule-memory.ts';
import { ApiError } from './errors.ts';
import { startJoiner } from './joiner/joiner.ts';
import { bootstrapSettings } from './orgs/bootstrap.ts';
import type { Role } from './ports.ts';
import { startProjector } from './projector/projector.ts';
import { startResponder } from './responder/responder.ts';
import { topicNames } from './topics.ts';
import { startWhenThere } from './wait-for-services.ts';

/** The same from src and from dist. */
const CONSOLE_FOLDER = fileURLToPath(new URL('../dist/console', import.meta.url));

export type RoleName = 'api' | 'projector' | 'joiner' | 'responder';

const STREAM_ROLES: Record<Exclude<RoleName, 'api'>, (connections: Connections) => Promise<Role>> = {
  projector: startProjector,
  joiner: startJoiner,
  responder: (connections) => {
    const { config, redis } = connections;
    return startResponder({
      ...connections,
      ruleMemory: createRuleMemory(redis),
      outputMemory: createOutputMemory(redis),
      responses: createResponses(redis),
      sinks: createSinks({ outputDir: config.OUTPUT_DIR, allowPrivate: config.OUTPUT_ALLOW_PRIVATE }),
    });
  },
};

export type Server = { url: string; stop(): Promise<void> };

/** Starts the roles once Kafka and Redis answer. Resolves when they run and HTTP listens, or when `stopped` before that. /readyz
 *  says when they have caught up. */
export async function startServer(
  config: Config,
  roles: readonly RoleName[],
  log: Logger,
  stopped: AbortSignal = new AbortController().signal,
): Promise<Server> {
  if (roles.includes('api') && config.JWT_SECRET === '' && config.JWKS_URL === '') {
    throw new ApiError(
      'config_invalid',
      'JWT_SECRET is not set: the API signs tokens with it. Set it to at least 32 random characters, or set JWKS_URL.',
    );
  }
  const options = { config, log, roles, clock: systemClock };
  let parts: Parts | null = null;
  const start = (open: () => Promise<void>): Promise<Server> => {
    parts = createParts(config.SHUTDOWN_MS, log);
    return startRoles(config, roles, log, open, parts);
  };
  const server = startWhenThere(options, start, stopped);
  const nothing: Server = { url: '', stop: async () => {} };
  const ended = once(stopped, 'abort').then(async () => {
    await parts?.stop();
    return nothing;
  });
  return (await Promise.race([server, ended])) ?? nothing;
}

/** `open` frees the port that the server listens on. */
async function startRoles(
  config: Config,
  roles: readonly RoleName[],
  log: Logger,
  open: () => Promise<void>,
  parts: Parts,
): Promise<Server> {
  try {
    const connections = await connect(config, log, parts);
    await bootstrap(connections);
    const running = new Map<string, Role>();
    const server = createHttpServer(config, log, {
      report: () => report(running, connections.redis.fault(), connections.pulse.fault()),
    });
    await parts.add(() => server.close());
    if (roles.includes('api')) running.set('api', await startApi(server, connections, parts));
    for (const name of roles) {
      if (name === 'api') continue;
      const role = await STREAM_ROLES[name](connections);
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

async function bootstrap({ config, orgs, outbox, clock }: Connections): Promise<void> {
  if (config.BOOTSTRAP_OID === '') return;
  const missing = bootstrapSettings(orgs.table, config.BOOTSTRAP_OID, config.BOOTSTRAP_API_KEY, clock.nowMs());
  if (missing.length === 0) return;
  await outbox.settings(missing);
  await orgs.refresh();
}

async function startApi(
  server: ReturnType<typeof createHttpServer>,
  connections: Connections,
  parts: Parts,
): Promise<Role> {
  const { config, log, clock, orgs, settings, projection, outbox, inbox, recordCodec, kafka, codec, redis } =
    connections;
  const names = topicNames(config.KAFKA_TOPIC_PREFIX);
  const partitions = (await inbox.ends('presence')).size;
  const feed = await followTaskEvents({ kafka, topic: names.taskEvents, codec, log });
  await parts.add(() => feed.stop());
  const bodies = createByPosition(kafka, names.sensorEvents);
  await parts.add(() => bodies.stop());
  const detections = new RecentDetections();
  const reported = await followDetections({
    kafka,
    codec,
    log,
    topic: names.detections,
    onDetection: (detection) => detections.add(detection),
  });
  await parts.add(() => reported.stop());
  const sensorEventsAt: ApiPorts['sensorEventsAt'] = async (positions) => {
    const records = await bodies.read(positions);
    const held = records.filter((record) => record !== null);
    const decoded = new Map((await inbox.decode('SensorEvent', held)).map((item) => [item.record, item]));
    return records.map((record) => {
      const item = record && decoded.get(record);
      return item && 'value' in item ? item.value : null;
    });
  };
  await registerApi(server, {
    config,
    log,
    nowMs: clock.nowMs,
    clock,
    orgs: orgs.table,
    issuer: config.JWKS_URL === '' ? null : issuerKeys(config.JWKS_URL),
    settings,
    consoleFolder: CONSOLE_FOLDER,
    keyUse: createKeyUse(redis),
    projection,
    ruleFaults: createRuleMemory(redis).faults,
    outputMemory: createOutputMemory(redis),
    detections,
    stats: connections.stats,
    responses: createResponses(redis),
    sensorEventsAt,
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

/** No role works without Redis and Kafka. A process that holds no partition does not notice by itself that Kafka is away. */
function report(running: Map<string, Role>, redisFault: string | null, kafkaFault: string | null) {
  const roles = Object.fromEntries([...running].map(([name, role]) => [name, role.ready()]));
  const part = (fault: string | null) => ({ ready: fault === null, detail: fault ?? 'answers' });
  const [redis, kafka] = [part(redisFault), part(kafkaFault)];
  const ready = redis.ready && kafka.ready && Object.values(roles).every((role) => role.ready);
  return { ready, roles, redis, kafka };
}
