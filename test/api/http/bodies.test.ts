import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { HttpServer } from '../../../src/edges/http/server.ts';
import { OID, READER_SECRET } from '../../command/orgs.ts';
import { Memory, startApi, tokenOf } from '../support/memory.ts';

const URL = '/v1/extension/request/ext-reliable-tasking';
const JSON_TYPE = 'application/json';
const FORM = 'application/x-www-form-urlencoded';

let server: HttpServer;
let jwt: string;

let memory: Memory;
const start = async (env: Record<string, string> = {}) => {
  memory = new Memory();
  server = await startApi(memory, env);
  jwt = await tokenOf(server);
};
afterEach(() => server.close());

const post = async (payload: string, type = JSON_TYPE) => {
  const headers = { authorization: `Bearer ${jwt}`, 'content-type': type };
  const answer = await server.inject({ method: 'POST', url: URL, payload, headers });
  return { status: answer.statusCode, code: answer.json().error_code as string | undefined };
};
const listed = (fields: object) => JSON.stringify({ oid: OID, action: 'list', ...fields });
const packed = (text: string) => listed({ gzdata: gzipSync(text).toString('base64') });
const DONE = { status: 200, code: undefined };
/** The data was read: the action looked at its fields. */
const READ = { status: 400, code: 'field_unknown' };

describe('a body', () => {
  beforeEach(() => start());

  const arrays = (count: number) => `{"a":[${'[],'.repeat(count)}[]]}`;
  const numbers = (count: number) => `{"a":[${'0,'.repeat(count)}0]}`;
  const objects = (count: number) => `{"a":[${'{"b":1},'.repeat(count)}0]}`;
  test.each<[string, (count: number) => string, number]>([
    ['arrays', arrays, 124_000],
    ['numbers', numbers, 249_000],
    ['objects', objects, 83_000],
  ])('may have %s up to a bound, in JSON, in a form, in text and packed', async (_name, make, most) => {
    const sent = (count: number): [string, string][] => [
      [`{"oid":"${OID}","action":"list","data":${make(count)}}`, JSON_TYPE],
      [`oid=${OID}&action=list&data=${make(count)}`, FORM],
      [listed({ data: make(count) }), JSON_TYPE],
      [packed(make(count)), JSON_TYPE],
    ];
    for (const [body, type] of sent(most)) expect(await post(body, type)).toEqual(READ);
    for (const [body, type] of sent(most + 2_000))
      expect(await post(body, type)).toEqual({ status: 413, code: 'body_too_large' });
  });

  test('of the older service call has the same bound', async () => {
    const data = Buffer.from(`{"action":"list","a":${arrays(130_000)}}`).toString('base64');
    const answer = await server.inject({
      method: 'POST',
      url: `/v1/service/${OID}/reliable-tasking`,
      payload: { request_data: data },
      headers: { authorization: `Bearer ${jwt}` },
    });
    expect([answer.statusCode, answer.json().error_code]).toEqual([413, 'body_too_large']);
  });

  test('may have some megabytes of text', async () => {
    const text = 'ä\\"'.repeat(600_000);
    for (const body of [listed({ data: { text } }), packed(JSON.stringify({ text }))])
      expect(await post(body)).toEqual(READ);
    const form = new URLSearchParams({ oid: OID, action: 'list', data: '{}', more: 'a b'.repeat(1_000_000) });
    expect(await post(form.toString(), FORM)).toEqual(DONE);
  });

  test('has a bounded number of fields, as JSON too', async () => {
    const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}`, 0]));
    expect(await post(listed(fields(19_998)))).toEqual(DONE);
    expect(await post(listed(fields(19_999)))).toEqual({ status: 400, code: 'bad_request' });
  });
});

describe('bodies under way', () => {
  const BODY_MAX = 262_144;
  let port: number;
  let open: ClientRequest[];

  beforeEach(async () => {
    open = [];
    await start({ BODY_MAX_BYTES: String(BODY_MAX), RATE_LIMIT_PER_MINUTE: '1000000' });
    await server.listen({ port: 0, host: '127.0.0.1' });
    port = (server.server.address() as { port: number }).port;
  });
  afterEach(() => {
    for (const asked of open) asked.destroy();
  });

  const begin = (headers: Record<string, string | number>, agent?: Agent): ClientRequest => {
    const common = { authorization: `Bearer ${jwt}`, 'content-type': JSON_TYPE };
    const asked = request({
      ...(agent ? { agent } : {}),
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: URL,
      headers: { ...common, ...headers },
    });
    // Most of them are given up by the test.
    asked.on('error', () => {});
    asked.flushHeaders();
    open.push(asked);
    return asked;
  };
  const answerOf = async (asked: ClientRequest, rest = '') => {
    asked.end(rest);
    const [answer] = await new Promise<[IncomingMessage]>((resolve) => asked.once('response', (a) => resolve([a])));
    let text = '';
    for await (const piece of answer) text += piece;
    return { status: answer.statusCode, after: answer.headers['retry-after'], body: JSON.parse(text) };
  };
  const send = (body: string, token = jwt) =>
    answerOf(begin({ authorization: `Bearer ${token}`, 'content-length': body.length }), body);
  const full = () => listed({ more: 'x' }).replace('x', 'x'.repeat(BODY_MAX - listed({ more: '' }).length));

  /** Requests whose bodies are announced and do not come. */
  const hold = async (bodies: number) => {
    for (let n = 0; n < bodies; n += 1) begin({ 'content-length': BODY_MAX });
    // Only a refusal shows that they are held.
    if (bodies === 4) await vi.waitFor(async () => expect((await send(full())).status).toBe(429), { timeout: 5_000 });
  };

  test('of one key are limited: the next request gets 429, and succeeds when the others have ended', async () => {
    await hold(4);
    const { status, after, body } = await send(listed({}));
    expect([status, after, body.error_code, body.retriable]).toEqual([429, '1', 'rate_limited', true]);
    for (const asked of open) asked.destroy();
    await vi.waitFor(async () => expect((await send(full())).status).toBe(200), { timeout: 5_000 });
  });

  test('of one key keep no other key out', async () => {
    await hold(4);
    expect((await send(listed({}), await tokenOf(server, OID, READER_SECRET))).status).toBe(200);
  });

  test('count without an announced length', async () => {
    const chunked = begin({ 'transfer-encoding': 'chunked' });
    chunked.write(' '.repeat(BODY_MAX / 2));
    await hold(4);
    expect((await answerOf(chunked, ' '.repeat(BODY_MAX / 2 + 1))).status).toBe(429);
  });

  test('that are refused while they arrive leave the connection usable for the next request', async () => {
    await hold(4);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const refused = begin({ 'transfer-encoding': 'chunked' }, agent);
    // What is written first shows that it is refused before all has come.
    for (let n = 0; n < 30; n += 1) refused.write(' '.repeat(BODY_MAX / 20));
    expect((await answerOf(refused)).status).toBe(429);
    for (const asked of open) if (asked !== refused) asked.destroy();
    const next = async () => answerOf(begin({ 'content-length': 2 }, agent), '{}');
    await vi.waitFor(async () => expect((await next()).body.error).toBe('oid is missing.'), { timeout: 5_000 });
    agent.destroy();
  });

  test('count what they unpack to', async () => {
    const bomb = packed(JSON.stringify({ text: 'x'.repeat(BODY_MAX - 20) }));
    await hold(4);
    open[0]?.destroy();
    await vi.waitFor(async () => expect((await send(full())).status).toBe(200), { timeout: 5_000 });
    expect((await send(bomb)).status).toBe(429);
    open[1]?.destroy();
    await vi.waitFor(async () => expect((await send(bomb)).body.error_code).toBe('field_unknown'), { timeout: 5_000 });
  });

  test('of clients that disconnect during admission are released', async () => {
    const { count } = memory.keyUse;
    let waiting = 0;
    const gate = Promise.withResolvers<void>();
    memory.keyUse.count = async (...what) => {
      waiting += 1;
      await gate.promise;
      return count(...what);
    };
    for (let n = 0; n < 4; n += 1) begin({ 'content-length': BODY_MAX });
    await vi.waitFor(() => expect(waiting).toBe(4));
    for (const asked of open) asked.destroy();
    const connections = () => new Promise((resolve) => server.server.getConnections((_, some) => resolve(some)));
    await vi.waitFor(async () => expect(await connections()).toBe(0));
    gate.resolve();
    memory.keyUse.count = count;
    expect((await send(full())).status).toBe(200);
  });

  test('are released by each response', async () => {
    for (let n = 0; n < 20; n += 1) expect((await post(full())).status).toBe(200);
    for (let n = 0; n < 20; n += 1) expect((await send(full().slice(1))).status).toBe(400);
    expect((await send(full())).status).toBe(200);
  });
});
