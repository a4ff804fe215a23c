/**
 * The table of all routes, and how they are added to the server. Each group is a file in routes/. For what a route is, see
 * http/route.ts.
 */
import type { Readable } from 'node:stream';
import { validatorCompiler } from '../command/reader.ts';
import type { HttpServer } from '../edges/http/server.ts';
import { admit } from './auth/admit.ts';
import { createLastUse } from './auth/last-use.ts';
import { networkOf } from './auth/network.ts';
import { createRateLimit } from './auth/rate-limit.ts';
import { createTokenLimit } from './auth/token-limit.ts';
import { createTokens } from './auth/tokens.ts';
import { EventStreams } from './events/event-stream.ts';
import { addBodyParsers, checkedBody, holdBody } from './http/bodies.ts';
import { BodyBudget } from './http/body-budget.ts';
import { serveConsole } from './http/console.ts';
import { decodeText } from './http/form.ts';
import { describeApi, describedSchema } from './http/openapi.ts';
import type { Parts, Route } from './http/route.ts';
import type { ApiPorts } from './ports.ts';
import { boundedReads, READ_MS, within } from './reads.ts';
import { aboutRoutes } from './routes/about.ts';
import { detectionRoutes } from './routes/detections.ts';
import { extensionRoutes } from './routes/extension.ts';
import { historyRoutes } from './routes/history.ts';
import { hiveRoutes } from './routes/hives.ts';
import { orgRoutes } from './routes/orgs.ts';
import { outputRoutes } from './routes/outputs.ts';
import { resultRoutes } from './routes/results.ts';
import { sensorRoutes } from './routes/sensors.ts';
import { serviceRoutes } from './routes/service.ts';
import { statsRoutes } from './routes/stats.ts';
import { tagRoutes } from './routes/tags.ts';
import { tokenRoutes } from './routes/token.ts';
import { Applied } from './tasks/applied.ts';

/** After this time the caller gets a 503. The command may still reach the log, so a retry needs its idempotency key. */
const APPEND_MS = 3_000;
/** For reading the bodies of some responses. */
const BODIES_MS = 5_000;

/** How many bodies of the maximum length may be in progress at a time: for one credential, and in the process. If the maximum
 *  length is small, the byte limits below apply instead, so that many short bodies fit. */
const BODIES_OF_OWNER = 4;
const BODIES_OF_PROCESS = 16;
const BYTES_OF_OWNER = 1_048_576;
const BYTES_OF_PROCESS = 16_777_216;
/** The limit in bytes for routes that need no token. The owner is an address, which several clients may share. */
const OPEN_BYTES_OF_OWNER = 1_048_576;
const OPEN_BYTES_OF_PROCESS = 67_108_864;

/** In the order of the description. */
export const ROUTES: readonly Route[] = [
  aboutRoutes,
  tokenRoutes,
  extensionRoutes,
  serviceRoutes,
  sensorRoutes,
  historyRoutes,
  tagRoutes,
  resultRoutes,
  statsRoutes,
  hiveRoutes,
  detectionRoutes,
  outputRoutes,
  orgRoutes,
].flat();

/** Adds all routes to the server; call before it listens. `close` of the server ends the event streams. */
export async function registerApi(server: HttpServer, ports: ApiPorts, routes = ROUTES): Promise<void> {
  const parts = partsOf(ports, await serveConsole(server, ports.consoleFolder));
  await addBodyParsers(server);
  server.setValidatorCompiler(validatorCompiler as never);
  // The types of handlers guarantee the schema of answers, so fields need not be checked or dropped here.
  server.setSerializerCompiler(() => (data) => JSON.stringify(data));
  server.decorateRequest('identity');
  server.decorateRequest('oid', '');
  server.decorateRequest('held');
  server.addHook('preClose', async () => {
    parts.streams.stop();
    parts.context.applied.stop();
  });
  await describeApi(server);
  for (const route of routes) addRoute(server, route, parts);
}

function partsOf(ports: ApiPorts, consolePage: string | null): Parts {
  const { projection, commands, presence, sensorEvents, responses, sensorEventsAt, ...rest } = ports;
  const { config, orgs } = ports;
  const reads = boundedReads(projection);
  const applied = new Applied(reads, projection, config.CLAIM_LEASE_MS, ports.clock);
  const tokens = createTokens(ports);
  const rules = { orgs, ttlMaxSeconds: config.TTL_MAX_SECONDS, taskMaxBytes: config.TASK_MAX_BYTES };
  const bounded: Pick<ApiPorts, 'commands' | 'presence' | 'sensorEvents' | 'responses' | 'sensorEventsAt'> = {
    commands: { append: (some) => within(APPEND_MS, 'Kafka', commands.append(some)) },
    presence: { append: (some) => within(APPEND_MS, 'Kafka', presence.append(some)) },
    sensorEvents: { append: (some) => within(APPEND_MS, 'Kafka', sensorEvents.append(some)) },
    responses: { read: (oid, taskId) => within(READ_MS, 'Redis', responses.read(oid, taskId)) },
    sensorEventsAt: (logOffsets) => within(BODIES_MS, 'Kafka', sensorEventsAt(logOffsets)),
  };
  const context = { ...rest, ...bounded, reads, applied, rules };
  return {
    consolePage,
    context,
    tokens,
    streams: new EventStreams(ports, tokens),
    rateLimit: createRateLimit(ports),
    tokenLimit: createTokenLimit(ports),
    bodies: new BodyBudget(
      Math.max(BODIES_OF_OWNER * config.BODY_MAX_BYTES, BYTES_OF_OWNER),
      Math.max(BODIES_OF_PROCESS * config.BODY_MAX_BYTES, BYTES_OF_PROCESS),
    ),
    openBodies: new BodyBudget(OPEN_BYTES_OF_OWNER, OPEN_BYTES_OF_PROCESS),
    lastUse: createLastUse(ports),
  };
}

function addRoute(server: HttpServer, route: Route, parts: Parts): void {
  const bodyLimit = Math.min(route.bodyMax ?? Number.MAX_SAFE_INTEGER, parts.context.config.BODY_MAX_BYTES);
  server.route({
    method: route.method,
    url: route.url,
    schema: describedSchema(route),
    bodyLimit,
    config: { hiveErrors: route.hiveErrors ?? false },
    onRequest: async (request, reply) => {
      decodeText(request.url.split('?')[1] ?? '');
      await admit(request, route.rights, parts);
      const [budget, owner] =
        route.rights === 'open'
          ? [parts.openBodies, networkOf(request.ip)]
          : [parts.bodies, request.identity.credential];
      holdBody(budget, owner, bodyLimit, request, reply);
    },
    preParsing: async (request, _reply, body) => checkedBody(request, body as Readable),
    handler: async (request, reply) => request.held.during(() => route.handle(parts, request, reply)),
  });
}
