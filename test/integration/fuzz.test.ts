/**
 * Seeded requests made from the API's own description, against a server on real Kafka and Redis: whatever is
 * sent, no answer is a fault of the server, every error is the envelope with a code of the table, and every other answer is
 * what the description says. FUZZ_SEED and FUZZ_REQUESTS change what is sent.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { Agent, type IncomingMessage, request } from 'node:http';
import type { TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ROUTES } from '../../src/api/routes.ts';
import { readConfig } from '../../src/config.ts';
import { createKafka } from '../../src/edges/kafka/kafkajs/client.ts';
import { createProducer } from '../../src/edges/kafka/producer.ts';
import { ERROR_CODES, type ErrorCode } from '../../src/errors.ts';
import { type RoleName, type Server, startServer } from '../../src/server.ts';
import { topicNames } from '../../src/topics.ts';
import { type Document, type Known, requestOf, type Sent } from './support/fuzz.ts';
import { sayPresence } from './support/presence.ts';

const SEED = Number(process.env.FUZZ_SEED ?? randomInt(1_000_000));
const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? 10_000);
const AT_ONCE = 16;
const ANSWER_MS = 20_000;
/** Without the responder, which sends outputs on: the requests make webhooks with addresses that nobody has chosen. */
const ROLES: readonly Exclude<RoleName, 'responder'>[] = ['api', 'projector', 'joiner'];

const prefix = `fuzz-${randomUUID()}-`;
const oid = randomUUID();
const secret = randomUUID();
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
let server: Server;
let document: Document;
let known: Known;

beforeAll(async () => {
  const config = readConfig({
    ...process.env,
    KAFKA_TOPIC_PREFIX: prefix,
    TOPIC_PARTITIONS: '2',
    HTTP_PORT: '0',
    BODY_MAX_BYTES: '65536',
    // Most of the keys that it sends are wrong.
    TOKEN_FAILURES_PER_MINUTE: '0',
    OUTPUT_DIR: '',
    OUTPUT_ALLOW_PRIVATE: 'false',
    JWT_SECRET: 'a secret of the test that sends anything',
    BOOTSTRAP_OID: oid,
    BOOTSTRAP_API_KEY: secret,
  });
  const log = pino({ level: 'silent' });
  server = await startServer(config, ROLES, log);
  await vi.waitFor(async () => expect((await fetch(`${server.url}/readyz`)).status).toBe(200), {
    timeout: 30_000,
    interval: 50,
  });
  document = (await (await fetch(`${server.url}/openapi.json`)).json()) as Document;
  const sids = [randomUUID(), randomUUID(), 's-1'];
  const producer = await createProducer(createKafka(config, log), 'durable');
  const online = { oid, sids: sids.slice(1), plat: 0x20000000, event: 'CONNECTED' as const };
  await sayPresence(producer, topicNames(prefix).presence, online);
  await producer.stop();
  known = {
    tokens: [await token()],
    values: {
      oid: [oid, oid, oid, oid, randomUUID()],
      secret: [secret, randomUUID()],
      sid: sids,
      sids,
      tag: ['a', 'vip', 'a/b'],
      tags: ['a', 'vip', 'a/b'],
      task: ['os_version', 'run --shell-command whoami'],
      tasks: ['os_version'],
      task_id: ['t-1', randomUUID()],
      selector: ['*', 'plat == linux', `sid == "${sids[0]}"`, '`a` in tags'],
      name: ['ext-reliable-tasking', 'reliable-tasking', 'rule-1'],
      hive: ['dr-general', 'dr-managed', 'lookup'],
      action: ['task', 'list', 'untask', 'get', 'preview', 'explain', 'signal_attempt', 'signal_received'],
    },
  };
}, 120_000);

afterAll(async () => {
  agent.destroy();
  await server?.stop();
});

async function token(): Promise<string> {
  const answer = await fetch(`${server.url}/`, { method: 'POST', body: new URLSearchParams({ oid, secret }) });
  return ((await answer.json()) as { jwt: string }).jwt;
}

type Answer = { status: number; type: string; text: string };

/** A stream of events is not waited for: its head says enough. */
function send({ method, path, headers, body }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    const length = { 'content-length': String(body.length) };
    const asked = request({
      agent,
      hostname,
      port,
      method,
      path,
      headers: { ...headers, ...length },
      timeout: ANSWER_MS,
    });
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${ANSWER_MS} ms`)));
    asked.on('error', reject).on('response', (message) => read(message).then(resolve, reject));
    asked.end(body);
  });
}

async function read(message: IncomingMessage): Promise<Answer> {
  const answer = { status: message.statusCode ?? 0, type: message.headers['content-type'] ?? '', text: '' };
  if (answer.type.startsWith('text/event-stream')) {
    message.destroy();
    return answer;
  }
  for await (const part of message.setEncoding('utf8')) answer.text += part;
  return answer;
}

/** What is wrong with an answer; null: nothing. */
function faultOf({ operation, method, path }: Sent, { status, type, text }: Answer): string | null {
  if (method === 'HEAD') return status < 500 ? null : `status ${status}`;
  if (status >= 400) return errorFault(path, status, text);
  if (!type.startsWith('application/json')) return null;
  const schema = answers.get(`${operation} ${status}`);
  const value: unknown = JSON.parse(text);
  if (schema === undefined || Value.Check(schema, value)) return null;
  const first = Value.Errors(schema, value).First();
  return `${first?.path} ${first?.message} in ${text.slice(0, 300)}`;
}

const answers = new Map<string, TSchema>(
  ROUTES.flatMap(({ method, url, schema }) =>
    Object.entries(schema.response).map(
      ([status, answer]) => [`${method} ${url.replace(/:(\w+)/g, '{$1}')} ${status}`, answer] as const,
    ),
  ),
);

/** Hives write their codes in capitals, and before the sentence once more. No route sees a name that is too long. */
function errorFault(path: string, status: number, text: string): string | null {
  const { error, error_code, retriable, version, data } = JSON.parse(text) as Record<string, unknown>;
  const isHive = /^[A-Z_]+$/.test(String(error_code));
  const isRouted = error_code !== 'not_found' && error !== 'A name in the path is too long.';
  if (path.startsWith('/v1/hive/') && isRouted !== isHive) return `no hive's error: ${text.slice(0, 300)}`;
  const kind = ERROR_CODES[(isHive ? String(error_code).toLowerCase() : error_code) as ErrorCode];
  if (isHive && !String(error).startsWith(`lc_error_code:${error_code} - `)) return `no hive's error: ${text}`;
  if (kind?.status !== status) return `code ${error_code} with status ${status}: ${text.slice(0, 300)}`;
  if (status >= 500) return `status ${status}: ${text.slice(0, 300)}`;
  const isEnvelope = typeof error === 'string' && error !== '' && version === 1 && retriable === kind.retriable;
  return isEnvelope && typeof data === 'object' ? null : `no envelope: ${text.slice(0, 300)}`;
}

it(`${REQUESTS} requests of seed ${SEED} bring no fault to light`, async () => {
  console.log(`FUZZ_SEED=${SEED} FUZZ_REQUESTS=${REQUESTS}`);
  const faults: string[] = [];
  const statuses = new Map<number, number>();
  let next = 0;
  const worker = async () => {
    while (next < REQUESTS && faults.length < 10) {
      const number = next++;
      const sent = requestOf(document, known, SEED, number);
      try {
        const answer = await send(sent);
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        const fault = faultOf(sent, answer);
        if (fault !== null) faults.push(`${number}: ${sent.method} ${sent.path.slice(0, 200)}: ${fault}`);
      } catch (error) {
        faults.push(`${number}: ${sent.method} ${sent.path.slice(0, 200)}: ${error}`);
      }
    }
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${seconds} s`, Object.fromEntries([...statuses].toSorted(([a], [b]) => a - b)));
  expect(faults).toEqual([]);
  // What is sent must reach the handlers, or nothing was tried.
  expect((statuses.get(200) ?? 0) / REQUESTS).toBeGreaterThan(0.2);
  expect(statuses.get(400)).toBeGreaterThan(0);
}, 3_600_000);
