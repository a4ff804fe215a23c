/** The calls about outputs and detections, over settings in memory. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { HttpServer } from '../../../src/edges/http/server.ts';
import { hashOfKey } from '../../../src/orgs/table.ts';
import { OID, READER_SECRET, set } from '../../command/orgs.ts';
import { Memory, startApi, tokenOf } from '../support/memory.ts';

const RULES = 'aaaaaaaa-bbbb-4ccc-8ddd-000000000001';
let memory: Memory;
let server: HttpServer;
let jwt: string;

beforeEach(async () => {
  memory = new Memory();
  set(memory.orgs, OID, 'API_KEY', 'rules', { hash: hashOfKey(RULES), perms: ['dr.list', 'dr.set', 'dr.del'] });
  server = await startApi(memory);
  jwt = await tokenOf(server, OID, RULES);
});
afterEach(() => server.close());

async function call(method: 'GET' | 'POST' | 'DELETE', path: string, form: Record<string, string> = {}, token = jwt) {
  const answer = await server.inject({
    method,
    url: `/v1/orgs/${OID}/${path}`,
    payload: new URLSearchParams(form).toString(),
    headers: { authorization: `bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' },
  });
  return { status: answer.statusCode, body: answer.json() };
}

test('an output is set, shown without its secrets, and deleted', async () => {
  const webhook = { type: 'webhook', url: 'https://siem.example/x', headers: '{"authorization":"secret"}' };
  expect(await call('POST', 'outputs/tasks%2Foutput', webhook)).toEqual({ status: 200, body: {} });
  expect((await call('GET', 'outputs')).body).toEqual({
    outputs: { 'tasks/output': { type: 'webhook', url: 'https://siem.example/x', headers: { authorization: '***' } } },
  });
  expect((await call('DELETE', 'outputs/tasks%2Foutput')).status).toBe(200);
  expect(await call('DELETE', 'outputs/tasks%2Foutput')).toMatchObject({
    status: 404,
    body: { error_code: 'output_unknown' },
  });
});

test('shows how an output last failed until it is set anew', async () => {
  const webhook = { type: 'webhook', url: 'https://siem.example/x' };
  await call('POST', 'outputs/o', webhook);
  memory.outputFailures.set('o', { reason: 'The webhook answered 500.', atMs: 7, undelivered: 3 });
  expect((await call('GET', 'outputs')).body.outputs.o).toMatchObject({
    last_failure: { reason: 'The webhook answered 500.', at: 7 },
    undelivered: 3,
  });
  await call('POST', 'outputs/o', webhook);
  expect((await call('GET', 'outputs')).body.outputs.o).toEqual({ ...webhook, headers: {} });
});

test('one that would reach what it must not is refused', async () => {
  for (const form of [
    { type: 'webhook', url: 'http://127.0.0.1/' },
    { type: 'file', path: 'a.jsonl' },
  ])
    expect(await call('POST', 'outputs/o', form)).toMatchObject({
      status: 400,
      body: { error_code: 'output_invalid' },
    });
  expect((await call('POST', 'outputs/o', { type: 'other' })).status).toBe(400);
  const reader = await tokenOf(server, OID, READER_SECRET);
  expect((await call('GET', 'outputs', {}, reader)).status).toBe(403);
});

test('an org has a bounded number of outputs', async () => {
  for (let n = 0; n < 1_000; n += 1)
    await memory.settings.write({ oid: OID, kind: 'OUTPUT', name: `o${n}`, value: { type: 'none' }, by: 't' });
  const webhook = { type: 'webhook', url: 'https://siem.example/x' };
  expect((await call('POST', 'outputs/o7', webhook)).status).toBe(200);
  expect(await call('POST', 'outputs/new', webhook)).toMatchObject({
    status: 400,
    body: { error_code: 'output_invalid', error: expect.stringContaining('1000 outputs') },
  });
});

test('detections are listed, the newest first', async () => {
  for (const n of [1, 2]) {
    const cat = `c${n}`;
    memory.detections.add({
      detect_id: `d${n}`,
      oid: OID,
      sid: 's',
      cat,
      source: 'dr-general',
      priority: n,
      occurred_at: memory.nowMs,
      body: JSON.stringify({ cat }),
    });
  }
  expect((await call('GET', 'detections')).body.detections).toMatchObject([
    { detect_id: 'd2', body: { cat: 'c2' } },
    { detect_id: 'd1' },
  ]);
  expect((await call('GET', 'detections?cat=c1&sid=s')).body.detections).toHaveLength(1);
  expect((await call('GET', 'detections?limit=0')).status).toBe(400);
  const [org, madeAgainMs] = [memory.orgs.nameOf(OID), memory.nowMs + 1];
  set(memory.orgs, OID, 'ORG', OID, null);
  memory.orgs.apply(`${OID}/ORG/${OID}`, {
    oid: OID,
    kind: 'ORG',
    name: OID,
    etag: 'e',
    value: JSON.stringify({ name: org }),
    updated_at: madeAgainMs,
    updated_by: 't',
  });
  expect((await call('GET', 'detections')).body.detections).toEqual([]);
});
