import { afterEach, beforeEach, expect, test } from 'vitest';
import type { HttpServer } from '../../../src/edges/http/server.ts';
import { act, Memory, startApi, tokenOf } from '../support/memory.ts';

let memory: Memory;
let server: HttpServer;
let jwt: string;

beforeEach(async () => {
  memory = new Memory();
  server = await startApi(memory);
  jwt = await tokenOf(server);
  memory.addSensor('s');
});
afterEach(() => server.close());

const queue = async (task: string) => (await act(server, jwt, 'task', { task })).body.data.task_id as string;
const history = async (query = '') => {
  const answer = await server.inject({ url: `/v1/s/tasks${query}`, headers: { authorization: `Bearer ${jwt}` } });
  return { status: answer.statusCode, body: answer.json() };
};

test('what it was sent or has answered, waiting or ended, the newest first; nothing else', async () => {
  const [done, sent, , withdrawn, ended] = await Promise.all(
    ['done', 'sent', 'queued', 'withdrawn', 'ended'].map(queue),
  );
  memory.setDelivery(done!, 's', { state: 'done', atMs: 1 });
  memory.setDelivery(done!, 'other', { state: 'failed', atMs: 9 });
  memory.setDelivery(sent!, 's', { state: 'sent', attempt: 2, atMs: 3 });
  memory.setDelivery(withdrawn!, 's', { state: 'removed', attempt: 0, atMs: 4 });
  memory.setDelivery(ended!, 's', { state: 'failed', atMs: 2, reason: '5' });
  await act(server, jwt, 'untask', { task_id: ended });
  const { status, body } = await history();
  expect([status, body.complete]).toEqual([200, true]);
  const rows = body.tasks.map(({ task, state, attempt, at }: Record<string, unknown>) => [task, state, attempt, at]);
  expect(rows).toEqual([
    ['sent', 'sent', 2, 3],
    ['ended', 'failed', 1, 2],
    ['done', 'done', 1, 1],
  ]);
  expect((await history('?limit=1')).body.tasks).toHaveLength(1);
  expect((await history('?limit=1')).body.tasks[0].task).toBe('sent');
});

test('pages are all looked at', async () => {
  const ids = await Promise.all(Array.from({ length: 1_200 }, (_, i) => queue(`task ${i}`)));
  for (const [i, id] of ids.entries()) if (i % 100 === 0) memory.setDelivery(id, 's', { atMs: i });
  const { body } = await history();
  expect(body.tasks.map(({ at }: { at: number }) => at)).toEqual(Array.from({ length: 12 }, (_, i) => (11 - i) * 100));
});

test.each([
  ['?limit=0', 400],
  ['?limit=x', 400],
])('%s is refused', async (query, status) => {
  expect((await history(query)).status).toBe(status);
});

test('a projection that is lost meanwhile gives no answer', async () => {
  await queue('x');
  memory.onRead = (name) => {
    if (name === 'readDelivery') memory.epoch = 'e2';
  };
  expect((await history()).status).toBe(503);
});
