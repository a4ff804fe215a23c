import { connect } from 'node:net';
import { Writable } from 'node:stream';
import pino from 'pino';
import { afterEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import { createHttpServer, type Health, type HttpServer } from '../../../src/edges/http/server.ts';
import { unavailable } from '../../../src/errors.ts';
import { SELECTOR_BOUNDS } from '../../../src/selector/bounds.ts';

const config = readConfig({ KAFKA_BROKERS: 'localhost:1', REDIS_URL: 'redis://localhost:1', BODY_MAX_BYTES: '1024' });
const servers: HttpServer[] = [];

function start(report: ReturnType<Health['report']> = { ready: true, roles: {} }, log = pino({ level: 'silent' })) {
  const server = createHttpServer(config, log, { report: () => report });
  servers.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

describe('probes', () => {
  test('alive, whatever the roles say', async () => {
    const answer = await start({ ready: false, roles: {} }).inject('/healthz');
    expect([answer.statusCode, answer.json()]).toEqual([200, { alive: true }]);
  });

  test.each([
    [true, 200],
    [false, 503],
  ])('ready %s is %i, with the state of each role', async (ready, status) => {
    const report = { ready, roles: { joiner: { ready, detail: 'reads partition 3' } } };
    const answer = await start(report).inject('/readyz');
    expect([answer.statusCode, answer.json()]).toEqual([status, report]);
  });

  test('metrics are in the text format, with requests by route', async () => {
    const server = start();
    await server.inject('/healthz');
    const answer = await server.inject('/metrics');
    expect(answer.headers['content-type']).toContain('text/plain');
    expect(answer.body).toMatch(/rt_http_request_seconds_count\{method="GET",route="\/healthz",status="200"\} \d+/);
  });
});

describe('errors', () => {
  const shape = { error: expect.any(String), version: 1, data: {} };

  test.each<['GET' | 'POST' | 'PUT', string, number, string]>([
    ['GET', '/nothing', 404, 'not_found'],
    ['PUT', '/healthz', 404, 'not_found'],
    ['GET', '/%zz', 400, 'bad_request'],
  ])('%s %s', async (method, url, status, code) => {
    const answer = await start().inject({ method, url });
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toEqual({ ...shape, error_code: code, retriable: false });
  });

  test('an internal error reveals nothing about itself', async () => {
    const server = start();
    server.get('/broken', async () => {
      throw new TypeError('secret detail');
    });
    const answer = await server.inject('/broken');
    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toEqual({ ...shape, error_code: 'internal_error', retriable: true });
    expect(answer.body).not.toMatch(/secret|TypeError| at /);
  });

  test('unavailable says when to try again', async () => {
    const server = start();
    server.get('/away', async () => {
      throw unavailable('Redis is away.');
    });
    const answer = await server.inject('/away');
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '2']);
  });

  test.each<[string, string, string, number, string]>([
    ['too large', 'application/json', JSON.stringify('x'.repeat(2000)), 413, 'body_too_large'],
    ['bad JSON', 'application/json', '{', 400, 'bad_request'],
    ['empty JSON', 'application/json', '', 400, 'bad_request'],
    ['poisoned JSON', 'application/json', '{"__proto__":{"x":1}}', 400, 'bad_request'],
    ['an unknown type', 'text/xml', '<a/>', 415, 'unsupported_media_type'],
  ])('a body that is %s', async (_name, type, payload, status, code) => {
    const server = start();
    server.post('/echo', async (request) => ({ body: request.body }));
    const answer = await server.inject({ method: 'POST', url: '/echo', payload, headers: { 'content-type': type } });
    expect([answer.statusCode, answer.json().error_code]).toEqual([status, code]);
  });

  test.each<[string, string]>([
    ['bad JSON', 'application/json'],
    ['an unknown type', 'text/xml'],
  ])('an unknown path does not look at a body of %s', async (payload, type) => {
    const answer = await start().inject({ method: 'POST', url: '/nope', payload, headers: { 'content-type': type } });
    expect([answer.statusCode, answer.json().error_code]).toEqual([404, 'not_found']);
  });

  const askRaw = async (request: string): Promise<{ head: string; body: { error: string; error_code: string } }> => {
    const server = start();
    server.get('/v1/sensors', async (asked) => ({ selector: (asked.query as { selector: string }).selector }));
    await server.listen({ port: 0, host: '127.0.0.1' });
    const { port } = server.server.address() as { port: number };
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(request));
      socket.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      socket.on('error', reject).on('close', () => resolve(text));
    });
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    return { head, body: JSON.parse(body) };
  };

  test('bytes that are not HTTP get the envelope, too', async () => {
    const { head, body } = await askRaw('NONSENSE\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 400 /);
    expect(body).toEqual({ ...shape, error_code: 'bad_request', retriable: false });
  });

  const withSelector = (bytes: number) =>
    `GET /v1/sensors?selector=${'%61'.repeat(bytes)} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${'t'.repeat(12_000)}\r\nconnection: close\r\n\r\n`;

  test('the longest selector fits in the address, even if all of it is percent-encoded', async () => {
    const { head, body } = await askRaw(withSelector(SELECTOR_BOUNDS.textBytes));
    expect(head).toMatch(/^HTTP\/1\.1 200 /);
    expect(body).toEqual({ selector: 'a'.repeat(SELECTOR_BOUNDS.textBytes) });
  });

  test('headers that are too large have a code and a sentence of their own', async () => {
    const { head, body } = await askRaw(withSelector(2 * SELECTOR_BOUNDS.textBytes));
    expect(head).toMatch(/^HTTP\/1\.1 431 Request Header Fields Too Large\r/);
    expect(body).toEqual({ ...shape, error_code: 'headers_too_large', retriable: false });
    expect(body.error).toMatch(/more than 40960 bytes.*in the body/);
  });
});

describe('a body that is refused unread', () => {
  const text = (length: number) => 'x'.repeat(length);

  /** As clients do that send all before they read: what they have sent when the server is done with them. */
  const exchange = async (...requests: string[]) => {
    const server = start();
    server.post('/echo', async (request) => ({ body: request.body }));
    await server.listen({ port: 0, host: '127.0.0.1' });
    const { port } = server.server.address() as { port: number };
    return new Promise<string>((resolve) => {
      let answers = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(requests.join('')));
      socket.setEncoding('utf8').on('data', (part) => {
        answers += part;
      });
      socket.on('error', () => {}).on('close', () => resolve(answers));
    });
  };
  const post = (path: string, body: string, type = 'application/json') =>
    `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  const last = 'GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
  const statuses = (answers: string) => [...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));

  test.each<[string, string, number]>([
    ['of an unknown path', post('/nope', text(2_000)), 404],
    ['that is too large', post('/echo', text(2_000)), 413],
    ['of an unknown type', post('/echo', text(1_000), 'text/xml'), 415],
  ])(
    '%s is thrown away: the client gets the answer, and the connection serves the next request',
    async (_what, sent, status) => {
      expect(statuses(await exchange(sent, last))).toEqual([status, 200]);
    },
  );

  test('and exceeds the discard limit ends the connection', async () => {
    expect(statuses(await exchange(post('/nope', text(3_000)), last))).not.toContain(200);
  });

  test('and has no announced length ends the connection once it is far too large', async () => {
    const head = 'POST /nope HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n';
    const chunk = `400\r\n${text(1_024)}\r\n`;
    const end = '0\r\n\r\n';
    expect(statuses(await exchange(head, chunk, end, last))).toEqual([404, 200]);
    expect(statuses(await exchange(head, chunk.repeat(3), end, last))).not.toContain(200);
  });
});

test('the log names route and ids, and no query, header or body', async () => {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const server = start({ ready: true, roles: {} }, pino({ level: 'debug' }, sink));
  server.post('/v1/:name', async (request) => {
    request.logIds.task_id = 'task-7';
    return {};
  });
  const headers = { authorization: 'Bearer hidden1' };
  await server.inject({ method: 'POST', url: '/v1/hidden2?secret=hidden3', payload: { secret: 'hidden4' }, headers });
  const text = lines.join('');
  expect(text).toContain('"route":"/v1/:name"');
  expect(text).toContain('"task_id":"task-7"');
  expect(text).not.toContain('hidden');
});
