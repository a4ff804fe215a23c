/**
 * The HTTP server that every process has, whatever its roles: liveness, readiness and metrics, and around all routes the
 * same errors, bounds and log lines. Guarantees:
 *  - every answer that is not 2xx is the error envelope, for unknown paths and unreadable requests too; no stack trace is sent;
 *  - a body is bounded by BODY_MAX_BYTES, address and headers by HEADERS_MAX_BYTES, the time to send a request by REQUEST_MS;
 *  - a request that is refused before its body is read is answered immediately, and none of its body is kept in memory; the rest
 *    of the body is discarded, so that clients that send everything before they read get the answer, not a reset;
 *  - the log names routes and ids, never a query, a body or a header: those can hold keys and commands;
 *  - `close` refuses new connections, ends idle ones, and lets requests that are under way finish.
 */
import { STATUS_CODES } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import type { Logger } from 'pino';
import client from 'prom-client';
import type { Config } from '../../config.ts';
import { ApiError, type ErrorCode } from '../../errors.ts';
import { errorBody, hiveErrorBody, toApiError } from './error-body.ts';

export type HttpServer = FastifyInstance;

/** The state of each role that runs in the process; `detail` is a sentence for people. */
export type Health = {
  report(): {
    ready: boolean;
    roles: Record<string, { ready: boolean; detail: string }>;
    redis?: { ready: boolean; detail: string };
    kafka?: { ready: boolean; detail: string };
  };
};

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Requested by machines every few seconds: logged at debug level. */
    probe?: boolean;
    /** Errors as clients of hives read them. */
    hiveErrors?: boolean;
  }
  interface FastifyRequest {
    /** Ids that the log line of the request carries. */
    logIds: { oid?: string; task_id?: string; sid?: string; action?: string };
  }
}

/** Longest time for a client to send its request. */
const REQUEST_MS = 30_000;
/** Of the first line and all headers. The longest selector (8 KiB) fits in the address with each of its bytes percent-encoded, and
 *  beside it a token of many orgs. */
const HEADERS_MAX_BYTES = 3 * 8_192 + 16_384;
/** After a refusal, up to this many times the maximum length is discarded. The connection of a longer body is closed. */
const DISCARDED_BODIES = 2;
/** Longer than the usual idle time of load balancers, so that they close first. */
const KEEP_ALIVE_MS = 75_000;

const PROBE = { config: { probe: true } };

const seconds = new client.Histogram({
  name: 'rt_http_request_seconds',
  help: 'Time from a request to the end of its answer, by route.',
  labelNames: ['method', 'route', 'status'],
  buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
});

/** A server that does not listen yet. */
export function createHttpServer(config: Config, log: Logger, health: Health): HttpServer {
  const server = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: config.BODY_MAX_BYTES,
    requestTimeout: REQUEST_MS,
    trustProxy: config.TRUSTED_PROXIES.length > 0 ? config.TRUSTED_PROXIES : false,
    http: { maxHeaderSize: HEADERS_MAX_BYTES },
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 1_024 },
    frameworkErrors: (error, request, reply) => sendError(error, request, reply),
    clientErrorHandler: refuseUnreadable,
  }) as unknown as HttpServer;
  server.decorateRequest('logIds');
  server.addHook('onRequest', async (request) => {
    request.logIds = {};
    // Refuse it before the framework reads a body that no handler needs.
    if (request.is404)
      throw new ApiError('not_found', `There is no ${request.method} ${request.url.split('?', 1)[0]}.`);
  });
  server.addHook('onResponse', async (request, reply) => record(request, reply));
  server.addHook('onError', async (request, reply) =>
    discardBody(request, reply, DISCARDED_BODIES * config.BODY_MAX_BYTES),
  );
  server.setErrorHandler(sendError);
  server.setNotFoundHandler(async (request) => {
    throw new ApiError('not_found', `There is no ${request.method} ${request.url.split('?', 1)[0]}.`);
  });
  addProbes(server, health);
  return server;
}

function addProbes(server: HttpServer, health: Health): void {
  server.get('/healthz', PROBE, async () => ({ alive: true }));
  server.get('/readyz', PROBE, async (_request, reply) => {
    const report = health.report();
    return reply.code(report.ready ? 200 : 503).send(report);
  });
  server.get('/metrics', PROBE, async (_request, reply) =>
    reply.type(client.register.contentType).send(await client.register.metrics()),
  );
}

function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const fault = toApiError(error);
  if (fault.code === 'internal_error') request.log.error({ err: error, ...request.logIds }, 'request failed');
  else if (fault.status >= 500) request.log.warn({ err: error, ...request.logIds }, 'request refused');
  if (fault.retryAfterSeconds !== undefined) reply.header('retry-after', fault.retryAfterSeconds);
  // The framework would write them in lower case.
  for (const [name, value] of Object.entries(fault.headers)) reply.raw.setHeader(name, value);
  return reply
    .code(fault.status)
    .type('application/json; charset=utf-8')
    .send(request.routeOptions.config?.hiveErrors ? hiveErrorBody(fault) : errorBody(fault));
}

/** Lets the client of a refused request send its body to the end, and the connection serve further requests. */
function discardBody({ raw }: FastifyRequest, reply: FastifyReply, maxBytes: number): void {
  if (raw.complete || raw.destroyed) return;
  if (Number(raw.headers['content-length'] ?? 0) > maxBytes) return void reply.header('connection', 'close');
  let bytes = 0;
  raw.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > maxBytes) raw.destroy();
  });
  raw.resume();
  // The framework asks for it, and Node would close before the client has read.
  reply.removeHeader('connection');
}

function record(request: FastifyRequest, reply: FastifyReply): void {
  const route = request.routeOptions.url ?? 'none';
  const status = reply.statusCode;
  seconds.observe({ method: request.method, route, status }, reply.elapsedTime / 1000);
  const level = request.routeOptions.config?.probe ? 'debug' : 'info';
  const ms = Math.round(reply.elapsedTime * 10) / 10;
  request.log[level]({ method: request.method, route, status, ms, ...request.logIds }, 'request');
}

/** The answer to a request that Node refuses before the framework gets it, by Node's code. */
const UNREADABLE: Readonly<Record<string, [ErrorCode, string]>> = {
  HPE_HEADER_OVERFLOW: [
    'headers_too_large',
    `Address and headers have more than ${HEADERS_MAX_BYTES} bytes together: send long fields in the body of a POST, or a shorter selector.`,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    'request_timeout',
    `The request was not complete after ${REQUEST_MS / 1_000} s: send it in one go.`,
  ],
};
const NO_HTTP: [ErrorCode, string] = [
  'bad_request',
  'This is no HTTP request that the server can read: check its first line, headers and encoding.',
];

/** For bytes that are not HTTP, and for headers that are too large or too slow. */
function refuseUnreadable(this: unknown, error: Error & { code?: string }, socket: import('node:net').Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return;
  const fault = new ApiError(...(UNREADABLE[error.code ?? ''] ?? NO_HTTP));
  const body = JSON.stringify(errorBody(fault));
  const head = `content-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}`;
  socket.end(`HTTP/1.1 ${fault.status} ${STATUS_CODES[fault.status]}\r\n${head}\r\nconnection: close\r\n\r\n${body}`);
}
