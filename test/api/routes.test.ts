/** How any route takes its parts: from the forms, paths and empty bodies that the public clients send. */
import { Type } from '@sinclair/typebox';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Route, route } from '../../src/api/http/route.ts';
import { tokenRoutes } from '../../src/api/routes/token.ts';
import { registerApi } from '../../src/api/routes.ts';
import { OidParams, SidParams } from '../../src/command/fields.ts';
import { coerce } from '../../src/command/reader.ts';
import { createHttpServer, type HttpServer } from '../../src/edges/http/server.ts';
import { OID, READER_SECRET, UNKNOWN_OID } from '../command/orgs.ts';
import { Memory, tokenOf } from './support/memory.ts';

const response = { 200: Type.Unknown() };
const body = Type.Object({
  tags: Type.Optional(Type.Array(Type.String(), { expected: 'texts' })),
  ttl: Type.Optional(Type.Integer({ minimum: 0, expected: 'a whole number of seconds' })),
  is_async: Type.Optional(Type.Boolean({ expected: 'True or False' })),
  name: Type.Optional(Type.String({ expected: 'text, given once' })),
});
const named = Type.Object({ oid: Type.String(), name: Type.String() });

/** Each answers what it was given. */
const echoes: readonly Route[] = [
  ...(['GET', 'POST', 'DELETE', 'PUT', 'PATCH'] as const).map((method) =>
    route({
      method,
      url: '/v1/echo/:oid',
      rights: ['sensor.list'],
      tag: 'orgs',
      summary: '',
      schema: { params: OidParams, ...(method === 'GET' ? { querystring: body } : { body }), response },
      handle: async (_parts, request) => ({ ...(request.query as object), ...(request.body as object) }),
    }),
  ),
  route({
    method: 'GET',
    url: '/v1/hive/rules/:oid/:name/data',
    rights: 'token',
    tag: 'hives',
    summary: '',
    schema: { params: named, response },
    handle: async (_parts, request) => request.params,
  }),
  route({
    method: 'GET',
    url: '/v1/:sid',
    rights: ['sensor.task'],
    tag: 'sensors',
    summary: '',
    schema: { params: SidParams, response },
    handle: async (_parts, { oid, params: { sid } }) => ({ oid, sid }),
  }),
];

let memory: Memory;
let server: HttpServer;
let jwt: string;

beforeEach(async () => {
  memory = new Memory();
  const ports = memory.ports();
  server = createHttpServer(ports.config, ports.log, { report: () => ({ ready: true, roles: {} }) });
  await registerApi(server, ports, [...tokenRoutes, ...echoes]);
  jwt = await tokenOf(server);
});
afterEach(() => server.close());

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
type Method = 'GET' | 'POST' | 'DELETE' | 'PUT' | 'PATCH';

async function send(method: Method, url: string, payload = '', headers: object = FORM, token = jwt) {
  const all = { 'content-length': String(Buffer.byteLength(payload)), authorization: `bearer ${token}`, ...headers };
  const answer = await server.inject({ method, url, payload, headers: all });
  return { status: answer.statusCode, body: answer.json() };
}

describe('bodies', () => {
  test.each(['GET', 'POST', 'DELETE', 'PUT', 'PATCH'] as const)('%s takes an empty form', async (method) => {
    expect(await send(method, `/v1/echo/${OID}`)).toEqual({ status: 200, body: {} });
  });

  test.each(['POST', 'DELETE', 'PUT', 'PATCH'] as const)('%s takes a form, and nothing at all', async (method) => {
    const filled = await send(method, `/v1/echo/${OID}`, 'tags=a&tags=b&is_async=True&ttl=3600&other=1');
    expect(filled).toEqual({ status: 200, body: { tags: ['a', 'b'], is_async: true, ttl: 3600, other: '1' } });
    const answer = await server.inject({ method, url: `/v1/echo/${OID}`, headers: { authorization: `Bearer ${jwt}` } });
    expect([answer.statusCode, answer.json()]).toEqual([200, {}]);
  });

  test.each<[string, string]>([
    ['name=a&name=b', 'name must be text, given once.'],
    ['ttl=1.5', 'ttl must be a whole number of seconds.'],
    ['ttl=-1', 'ttl must be a whole number of seconds.'],
    [`ttl=${'9'.repeat(400)}`, 'ttl must be a whole number of seconds.'],
    ['is_async=1', 'is_async must be True or False.'],
  ])('%s is refused with what it must be', async (form, error) => {
    expect(await send('POST', `/v1/echo/${OID}`, form)).toMatchObject({
      status: 400,
      body: { error, error_code: 'bad_request' },
    });
  });

  test('JSON that is no object is refused', async () => {
    const headers = { 'content-type': 'application/json' };
    for (const text of ['[]', '"a"', '7'])
      expect(await send('POST', `/v1/echo/${OID}`, text, headers)).toMatchObject({
        status: 400,
        body: { error_code: 'bad_request' },
      });
  });
});

test.each([
  ['a%2Fb', 'a/b'],
  ['a%252Fb', 'a%2Fb'],
  ['100%25', '100%'],
  ['a%20b%3F%23%26', 'a b?#&'],
  ['%C3%A4', 'ä'],
])('a name in a path is decoded once: %s', async (written, name) => {
  expect(await send('GET', `/v1/hive/rules/${OID}/${written}/data`)).toEqual({ status: 200, body: { oid: OID, name } });
});

describe('who is let in', () => {
  test.each([UNKNOWN_OID, 'x', '%00'])('an org that the token does not name: %s', async (oid) => {
    expect(await send('GET', `/v1/echo/${oid}`)).toMatchObject({ status: 403, body: { error_code: 'forbidden' } });
  });

  test('a sensor is of the org of the token', async () => {
    expect(await send('GET', '/v1/s-1')).toEqual({ status: 200, body: { oid: OID, sid: 's-1' } });
    expect(await send('GET', '/v1/s%201')).toMatchObject({ status: 400, body: { error_code: 'sid_invalid' } });
  });

  test('a right that the route asks for', async () => {
    const reader = await tokenOf(server, OID, READER_SECRET);
    expect((await send('GET', `/v1/echo/${OID}`, '', FORM, reader)).status).toBe(200);
    expect(await send('GET', '/v1/s-1', '', FORM, reader)).toMatchObject({
      status: 403,
      body: { error_code: 'forbidden', data: { right: 'sensor.task' } },
    });
  });
});

test('reading texts loses no field and adds none, but for empty numbers and booleans', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.array(fc.string()))), (fields) => {
      const read = coerce(body, fields);
      const lost = Object.keys(fields).filter((name) => !Object.hasOwn(read, name));
      expect(lost.every((name) => fields[name] === '' && ['ttl', 'is_async'].includes(name))).toBe(true);
      expect(Object.keys(read).every((name) => Object.hasOwn(fields, name))).toBe(true);
    }),
  );
});

describe('what cannot be read is refused', () => {
  const JSON_TYPE = { 'content-type': 'application/json' };
  const url = `/v1/echo/${OID}`;
  test.each<[string, string, string, object, number, string]>([
    ['bytes that are no UTF-8', url, '\xff\xfe', FORM, 400, 'bad_request'],
    ['JSON that is no UTF-8', url, '{"name":"\xff"}', JSON_TYPE, 400, 'bad_request'],
    ['encoded bytes that are no UTF-8', url, 'name=%FF', FORM, 400, 'bad_request'],
    ['the same in the query', `${url}?name=%FF`, '', FORM, 400, 'bad_request'],
    ['a path that encodes nothing', '/v1/echo/%zz', '', FORM, 400, 'bad_request'],
    ['a path that is no UTF-8', '/v1/echo/%FF', '', FORM, 400, 'bad_request'],
    ['NUL in a form', url, 'name=a%00b', FORM, 400, 'data_invalid'],
    ['NUL in a list', url, 'tags=a&tags=%00', FORM, 400, 'data_invalid'],
    ['NUL in JSON', url, '{"name":"\\u0000"}', JSON_TYPE, 400, 'data_invalid'],
    ['deep JSON', url, '['.repeat(100_000) + ']'.repeat(100_000), JSON_TYPE, 400, 'data_invalid'],
    ['a number beyond all', url, '{"ttl":1e400}', JSON_TYPE, 400, 'data_invalid'],
    ['another character set', url, 'name=a', { 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
    [
      'another encoding of JSON',
      url,
      '{}',
      { 'content-type': 'application/json; charset=utf-16' },
      415,
      'unsupported_media_type',
    ],
    ['a content type that is none', url, 'name=a', { 'content-type': ';' }, 415, 'unsupported_media_type'],
  ])('%s', async (_name, at, text, headers, status, code) => {
    const payload = Buffer.from(text, 'latin1');
    const answer = await server.inject({
      method: 'POST',
      url: at,
      payload,
      headers: { authorization: `Bearer ${jwt}`, ...headers },
    });
    expect([answer.statusCode, answer.json().error_code]).toEqual([status, code]);
  });

  test('a body that is announced and missing, and one that is too large', async () => {
    const headers = { authorization: `Bearer ${jwt}`, ...FORM };
    const payload = Buffer.alloc(5 * 1024 * 1024, 'a');
    const answer = await server.inject({ method: 'POST', url, payload, headers });
    expect([answer.statusCode, answer.json().error_code]).toEqual([413, 'body_too_large']);
    const unknown = await server.inject({
      method: 'POST',
      url: '/',
      payload: payload.subarray(0, 70_000),
      headers: FORM,
    });
    expect([unknown.statusCode, unknown.json().error_code]).toEqual([413, 'body_too_large']);
    const empty = await server.inject({ method: 'POST', url, payload: '', headers: { ...headers, ...JSON_TYPE } });
    expect([empty.statusCode, empty.json().error_code]).toEqual([400, 'bad_request']);
  });
});
