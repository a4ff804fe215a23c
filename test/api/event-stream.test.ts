import { get, type IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpServer } from '../../src/edges/http/server.ts';
import type { TaskEvent } from '../../src/model/records.ts';
import { EXTENSION, hashOfKey } from '../../src/orgs/table.ts';
import { BARE_OID, OID, SECRET, set } from '../command/orgs.ts';
import { Memory, startApi, tokenOf } from './memory.ts';

const EVENT: TaskEvent = {
  type: 'TASK_DONE',
  event_id: 'e',
  oid: OID,
  task_id: 't-1',
  sid: 's-1',
  attempt: 1,
  occurred_at: 5,
  detail: null,
};

let memory: Memory;
let server: HttpServer;
let jwt: string;
let port: number;

beforeEach(async () => {
  memory = new Memory();
  server = await startApi(memory);
  jwt = await tokenOf(server);
  await server.listen({ port: 0, host: '127.0.0.1' });
  port = (server.server.address() as { port: number }).port;
});
afterEach(() => server.close());

const open = (query = '', oid = OID): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${jwt}` };
    get({ port, host: '127.0.0.1', path: `/v1/orgs/${oid}/events${query}`, headers }, resolve).on('error', reject);
  });

function read(response: IncomingMessage) {
  const read = { text: '', ended: false, closed: false };
  response.setEncoding('utf8').on('data', (part: string) => {
    read.text += part;
  });
  response.on('end', () => {
    read.ended = true;
  });
  response
    .on('error', () => {})
    .on('close', () => {
      read.closed = true;
    });
  return read;
}

describe('the event stream', () => {
  test('gives id, name and data of each event of the org, and of no other', async () => {
    const response = await open();
    const stream = read(response);
    expect(response.headers['content-type']).toContain('text/event-stream');
    await expect.poll(() => memory.listeners.size).toBe(1);
    memory.emit('0:6', { ...EVENT, oid: BARE_OID });
    memory.emit('0:7', EVENT);
    await expect.poll(() => stream.text).toContain('data: ');
    const [, message = ''] = stream.text.split('\n\n');
    const [id, name, data = ''] = message.split('\n');
    expect([id, name]).toEqual(['id: 0:7', 'event: task_done']);
    expect(JSON.parse(data.slice('data: '.length))).toMatchObject({
      routing: { oid: OID, event_type: 'task_done', event_time: 5 },
      event: { task_id: 't-1', sid: 's-1' },
    });
    response.destroy();
    await expect.poll(() => memory.listeners.size).toBe(0);
  });

  test.each([
    ['?task_id=t-1', ['1', '2']],
    ['?sid=s-1', ['1', '3']],
    ['?task_id=t-1&sid=s-1', ['1']],
  ])('%s narrows it', async (query, ids) => {
    const response = await open(query);
    const stream = read(response);
    await expect.poll(() => memory.listeners.size).toBe(1);
    memory.emit('1', EVENT);
    memory.emit('2', { ...EVENT, sid: 's-2' });
    memory.emit('3', { ...EVENT, task_id: 't-2' });
    memory.emit('4', { ...EVENT, task_id: 't-2', sid: null });
    memory.emit('last', EVENT);
    await expect.poll(() => stream.text).toContain('id: last');
    expect([...stream.text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id)).toEqual([...ids, 'last']);
    response.destroy();
  });

  test('a client that does not read is cut off, and another one is served meanwhile', async () => {
    const slow = await open();
    slow.pause();
    const quick = read(await open());
    await expect.poll(() => memory.listeners.size).toBe(2);
    const big = { ...EVENT, type: 'ADD_TASK' as const, detail: JSON.stringify({ task: 'x'.repeat(60_000) }) };
    for (let n = 0; n < 400 && memory.listeners.size === 2; n += 1) {
      memory.emit(String(n), big);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect.poll(() => memory.listeners.size).toBe(1);
    memory.emit('after', EVENT);
    await expect.poll(() => quick.text).toContain('id: after');
    slow.destroy();
  });

  test('closing the server ends it cleanly', async () => {
    const stream = read(await open());
    await expect.poll(() => memory.listeners.size).toBe(1);
    await server.close();
    await expect.poll(() => stream.ended).toBe(true);
    expect(memory.listeners.size).toBe(0);
  });

  test.each<[string, () => void]>([
    ['its key is revoked', () => set(memory.orgs, OID, 'API_KEY', 'all', null)],
    ['its key loses the right', () => set(memory.orgs, OID, 'API_KEY', 'all', { hash: hashOfKey(SECRET), perms: [] })],
    ['the org unsubscribes', () => set(memory.orgs, OID, 'SUBSCRIPTION', EXTENSION, { periods: [] })],
    ['the org is deleted', () => set(memory.orgs, OID, 'ORG', OID, null)],
  ])('it ends at once when %s', async (_what, change) => {
    const stream = read(await open());
    await expect.poll(() => memory.listeners.size).toBe(1);
    set(memory.orgs, BARE_OID, 'API_KEY', 'all', null);
    change();
    await expect.poll(() => stream.ended).toBe(true);
    expect(memory.listeners.size).toBe(0);
  });

  test('an org that is not subscribed has none', async () => {
    set(memory.orgs, OID, 'SUBSCRIPTION', EXTENSION, { periods: [] });
    expect((await open()).statusCode).toBe(400);
  });

  test('another org, no token and a bad narrowing are refused as everywhere', async () => {
    expect((await open('', BARE_OID)).statusCode).toBe(403);
    expect((await open('?sid=a&sid=b')).statusCode).toBe(400);
    expect((await open('?sid=a%20b')).statusCode).toBe(400);
    jwt = 'none';
    expect((await open()).statusCode).toBe(401);
  });
});
