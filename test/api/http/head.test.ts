/** HEAD, by real connections: it has to end, and to leave nothing behind. */
import { request as send } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ROUTES } from '../../../src/api/routes.ts';
import type { HttpServer } from '../../../src/edges/http/server.ts';
import { OID } from '../../command/orgs.ts';
import { act, Memory, startApi, tokenOf } from '../support/memory.ts';

const DEADLINE_MS = 5_000;

let memory: Memory;
let server: HttpServer;
let jwt: string;
let values: Record<string, string>;

beforeEach(async () => {
  memory = new Memory();
  server = await startApi(memory);
  jwt = await tokenOf(server);
  memory.addSensor('s-1', { tags: ['t'] });
  const { task_id } = (await act(server, jwt, 'task', { task: 'x' })).body.data as { task_id: string };
  values = { oid: OID, sid: 's-1', task_id, tag: 't', hive: 'lookup', name: 'ext-reliable-tasking' };
  await server.listen({ port: 0, host: '127.0.0.1' });
});
afterEach(() => server.close());

type Head = { status: number | undefined; type: string | undefined; length: string | undefined; bytes: number };

/** An answer, whole; an event stream up to its head. */
function ask(method: 'GET' | 'HEAD', path: string, token = jwt): Promise<Head> {
  const { port } = server.server.address() as { port: number };
  const headers = { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const request = send({ method, port, host: '127.0.0.1', path, headers, signal: AbortSignal.timeout(DEADLINE_MS) });
    request.on('error', reject).on('response', (response) => {
      let bytes = 0;
      const { 'content-type': type, 'content-length': length } = response.headers;
      const done = () => resolve({ status: response.statusCode, type, length, bytes });
      response.on('error', reject).on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      if (method === 'GET' && type?.startsWith('text/event-stream')) {
        done();
        request.destroy();
      } else response.on('end', done);
    });
    request.end();
  });
}

const GETS = ROUTES.filter(({ method }) => method === 'GET').map(({ url }) => url);
const pathOf = (url: string) => url.replace(/:(\w+)/g, (_, name: string) => values[name] ?? name);

test.each([...GETS, '/healthz', '/readyz', '/docs/', `${GETS.find((url) => url.endsWith('results'))}?format=jsonl`])(
  'HEAD %s is the head of GET',
  async (url) => {
    const [head, get] = [await ask('HEAD', pathOf(url)), await ask('GET', pathOf(url))];
    expect(head).toEqual({ ...get, bytes: 0 });
  },
);

test('HEAD is refused as GET is', async () => {
  expect((await ask('HEAD', '/v1/who', 'x')).status).toBe(401);
  expect((await ask('HEAD', '/v1/nothing/at/all')).status).toBe(404);
  expect((await ask('HEAD', `/v1/orgs/${OID}/subscription/extension/x`)).status).toBe(404);
});

test('HEAD of a stream opens none, and reads no more than its beginning', async () => {
  await ask('HEAD', pathOf('/v1/orgs/:oid/events'));
  expect(memory.listeners.size).toBe(0);
  let reads = 0;
  memory.onRead = () => {
    reads += 1;
  };
  await ask('HEAD', pathOf('/v1/tags/:oid/:tag'));
  const before = reads;
  await ask('GET', pathOf('/v1/tags/:oid/:tag'));
  expect(reads - before).toBeGreaterThan(before);
});
