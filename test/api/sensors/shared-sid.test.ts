/** A token of several orgs, and a path that names a sensor alone. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpServer } from '../../../src/edges/http/server.ts';
import { unavailable } from '../../../src/errors.ts';
import { RIGHTS } from '../../../src/orgs/rights.ts';
import { EXTENSION, hashOfKey } from '../../../src/orgs/table.ts';
import { BARE_OID, OID, PAST_OID, set } from '../../command/orgs.ts';
import { Memory, startApi } from '../support/memory.ts';

const USER = 'aaaaaaaa-bbbb-4ccc-8ddd-000000000001';
const ORGS = [OID, BARE_OID, PAST_OID];
type Method = 'GET' | 'POST' | 'DELETE';

let memory: Memory;
let server: HttpServer;
let jwt: string;

beforeEach(async () => {
  memory = new Memory();
  for (const oid of ORGS) set(memory.orgs, oid, 'API_KEY', 'me', { hash: hashOfKey(USER), uid: 'u-1', perms: RIGHTS });
  set(memory.orgs, BARE_OID, 'SUBSCRIPTION', EXTENSION, { periods: [{ from: 1 }] });
  server = await startApi(memory);
  jwt = await tokenFor({});
  memory.addSensor('shared');
  memory.addSensor('alone');
  memory.orgsOf.set('shared', [BARE_OID, OID]).set('alone', [BARE_OID]);
});
afterEach(() => server.close());

async function tokenFor(fields: object): Promise<string> {
  const answer = await server.inject({ method: 'POST', url: '/', payload: { secret: USER, uid: 'u-1', ...fields } });
  return (answer.json() as { jwt: string }).jwt;
}

const call = async (method: Method, url: string, payload?: object, token = jwt) => {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await server.inject({ method, url, headers, ...(payload ? { payload } : {}) });
  return { status: answer.statusCode, body: answer.json() };
};

describe.each<[Method, string, object | undefined]>([
  ['GET', '', undefined],
  ['POST', '', { tasks: ['os_version'] }],
  ['DELETE', '', undefined],
  ['GET', '/tasks', undefined],
  ['GET', '/tags', undefined],
  ['POST', '/tags', { tags: ['vip'] }],
  ['DELETE', '/tags', { tag: 'vip' }],
  ['POST', '/isolation', undefined],
  ['DELETE', '/isolation', undefined],
])('%s /v1/{sid}%s', (method, rest, payload) => {
  test('of a sensor that several orgs have is refused, and changes nothing', async () => {
    const { status, body } = await call(method, `/v1/shared${rest}`, payload);
    expect([status, body.error_code, body.retriable]).toEqual([409, 'sensor_ambiguous', false]);
    expect(body.data).toEqual({ oids: [OID, BARE_OID] });
    expect([memory.presence, memory.appended]).toEqual([[], []]);
  });

  test('is about the org that the query names', async () => {
    expect(await call(method, `/v1/shared${rest}?oid=${BARE_OID}`, payload)).toMatchObject({ status: 200 });
    const written = [...memory.presence, ...memory.appended].map(({ oid }) => oid);
    expect(written).toEqual(method === 'GET' ? [] : [BARE_OID]);
  });
});

test('a sensor of one org alone needs no oid', async () => {
  expect((await call('GET', '/v1/alone')).body.info.oid).toBe(BARE_OID);
  expect((await call('GET', '/v1/alone?oid=')).status).toBe(200);
});

test('a token of one org alone needs no oid', async () => {
  expect((await call('GET', '/v1/shared', undefined, await tokenFor({ oid: OID }))).body.info.oid).toBe(OID);
});

test.each([
  ['one org', { oid: OID }],
  ['several orgs', {}],
])('a query that names an org which a token of %s does not name is forbidden', async (_what, fields) => {
  const { status, body } = await call('GET', '/v1/shared?oid=another', undefined, await tokenFor(fields));
  expect([status, body.error_code]).toEqual([403, 'forbidden']);
});

test('a query that names two orgs is refused', async () => {
  const { status, body } = await call('GET', `/v1/shared?oid=${OID}&oid=${BARE_OID}`);
  expect([status, body.error_code]).toEqual([400, 'bad_request']);
});

test('while the projection cannot say which orgs have it, no org is chosen', async () => {
  memory.fault = unavailable('away');
  expect((await call('GET', '/v1/shared')).status).toBe(503);
});
