/**
 * The one table of routes, and how they are put on the server. A route is open to everyone, or needs a token; where its path
 * names an org, the token has to name it too. `rights`: one of these is enough; 'by action': the extension's table says it.
 */
import formbody from '@fastify/formbody';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpServer } from '../edges/http/server.ts';
import type { ApiContext } from './actions/context.ts';
import { Applied } from './applied.ts';
import { requireOrg, requireRight } from './authorize.ts';
import { EventStreams } from './event-stream.ts';
import { handleExtensionRequest } from './extension.ts';
import { parseForm } from './form.ts';
import type { ApiPorts, CommandLog } from './ports.ts';
import { boundedReads } from './reads.ts';
import { handleTokenRequest } from './token-request.ts';
import { createTokens, type Identity, type Tokens } from './tokens.ts';
import { within } from './within.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set on every route that needs a token. */
    identity: Identity;
  }
}

type Route = {
  method: 'GET' | 'POST';
  url: string;
  rights: 'open' | 'by action' | readonly string[];
  summary: string;
  handle(parts: Parts, request: FastifyRequest, reply: FastifyReply): unknown;
};

type Parts = { context: ApiContext; tokens: Tokens; streams: EventStreams };

/** Longer, and a caller hears 503: the command may still get onto the log, so that a retry needs its idempotency key. */
const APPEND_MS = 3_000;

const token = ({ tokens }: Parts, request: FastifyRequest) => handleTokenRequest(tokens, request);

export const ROUTES: readonly Route[] = [
  { method: 'POST', url: '/', rights: 'open', summary: 'Gives a token for an API key.', handle: token },
  { method: 'POST', url: '/jwt', rights: 'open', summary: 'The same, for people.', handle: token },
  {
    method: 'POST',
    url: '/v1/extension/request/:name',
    rights: 'by action',
    summary: 'Runs an action of the extension.',
    handle: ({ context }, request, reply) => handleExtensionRequest(context, request, reply),
  },
  {
    method: 'GET',
    url: '/v1/orgs/:oid/events',
    rights: ['sensor.list', 'sensor.task'],
    summary: 'Task events as they happen, as Server-Sent Events.',
    handle: ({ streams }, request, reply) => streams.open(request, reply),
  },
];

/** Adds all routes to the server; call before it listens. They end with the server: `close` ends the event streams. */
export async function registerApi(server: HttpServer, ports: ApiPorts): Promise<void> {
  const { projection, commands, ...rest } = ports;
  const { config, orgs } = ports;
  const reads = boundedReads(projection);
  const applied = new Applied(reads, projection, config.CLAIM_LEASE_MS);
  const tokens = createTokens(ports);
  const streams = new EventStreams(ports, tokens);
  const rules = { orgs, ttlMaxSeconds: config.TTL_MAX_SECONDS, taskMaxBytes: config.TASK_MAX_BYTES };
  const bounded: CommandLog = { append: (some) => within(APPEND_MS, 'Kafka', commands.append(some)) };
  const parts: Parts = { context: { ...rest, commands: bounded, reads, applied, rules }, tokens, streams };
  await server.register(formbody, { parser: parseForm });
  server.decorateRequest('identity');
  server.addHook('preClose', async () => {
    streams.stop();
    applied.stop();
  });
  for (const route of ROUTES) addRoute(server, route, parts);
}

function addRoute(server: HttpServer, route: Route, parts: Parts): void {
  server.route({
    method: route.method,
    url: route.url,
    exposeHeadRoute: false,
    // Before the body is read: a caller without a token sends no megabytes into memory.
    onRequest: async (request) => {
      if (route.rights !== 'open') await admit(request, route.rights, parts.tokens);
    },
    handler: async (request, reply) => route.handle(parts, request, reply),
  });
}

async function admit(request: FastifyRequest, rights: Route['rights'], tokens: Tokens): Promise<void> {
  request.identity = await tokens.verify(request.headers.authorization);
  const { oid } = request.params as { oid?: string };
  if (oid !== undefined) {
    requireOrg(request.identity, oid);
    request.logIds.oid = oid;
  }
  if (typeof rights !== 'string') requireRight(request.identity, rights);
}
