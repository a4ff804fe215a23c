import { get, type IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEventIds } from '../../../src/api/events/event-id.ts';
import type { HttpServer } from '../../../src/edges/http/server.ts';
import type { TaskEvent } from '../../../src/model/records.ts';
import { EXTENSION, hashOfKey } from '../../../src/orgs/table.ts';
import { BARE_OID, OID, READER_SECRET, SECRET, set } from '../../command/orgs.ts';
import { Memory, startApi, tokenOf } from '../support/memory.ts';

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

const open = (query = '', oid = OID, lastEventId = ''): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${jwt}`, ...(lastEventId ? { 'last-event-id': lastEventId } : {}) };
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

/** The id for offsets with commas between them, and back. */
const sealed = (offsets: string, oid = OID) =>
  createEventIds(memory.ports().config).seal(oid, new Map(offsets.split(',').map((text, p) => [p, Number(text)])));
const unsealed = (id: string) => {
  const asked = createEventIds(memory.ports().config).open(OID, id);
  return asked instanceof Map ? [...asked.values()].join(',') : String(asked);
};
/** Of events, not of comments. */
const idsIn = (text: string) => [...text.matchAll(/^id: (.*)\nevent: /gm)].map(([, id]) => unsealed(id as string));
const tasksIn = (text: string) => [...text.matchAll(/"task_id":"(.*?)"/g)].map(([, id]) => id);

describe('the event stream', () => {
  test('gives id, name and data of each event of the org, and of no other', async () => {
    const response = await open();
    const stream = read(response);
    expect(response.headers['content-type']).toContain('text/event-stream');
    await expect.poll(() => memory.listeners.size).toBe(1);
    memory.emit({ ...EVENT, oid: BARE_OID });
    memory.emit(EVENT);
    await expect.poll(() => stream.text).toContain('data: ');
    const [connected, message = ''] = stream.text.split('\n\n');
    expect(connected).toMatch(/^: connected\nid: [\w-]+$/);
    expect(unsealed(connected?.split('id: ')[1] ?? '')).toBe('0,0');
    const [id, name, data = ''] = message.split('\n');
    expect([unsealed((id ?? '').slice('id: '.length)), name]).toEqual(['2,0', 'event: task_done']);
    expect(JSON.parse(data.slice('data: '.length))).toMatchObject({
      routing: { oid: OID, event_type: 'task_done', event_time: 5 },
      event: { task_id: 't-1', sid: 's-1' },
    });
    response.destroy();
    await expect.poll(() => memory.listeners.size).toBe(0);
  });

  test.each([
    ['?task_id=t-1', ['1,0', '2,0']],
    ['?sid=s-1', ['1,0', '3,0']],
    ['?task_id=t-1&sid=s-1', ['1,0']],
  ])('%s narrows it', async (query, ids) => {
    const response = await open(query);
    const stream = read(response);
    await expect.poll(() => memory.listeners.size).toBe(1);
    memory.emit(EVENT);
    memory.emit({ ...EVENT, sid: 's-2' });
    memory.emit({ ...EVENT, task_id: 't-2' });
    memory.emit({ ...EVENT, task_id: 't-2', sid: null });
    memory.emit(EVENT, 1);
    await expect.poll(() => idsIn(stream.text)).toEqual([...ids, '4,1']);
    response.destroy();
  });

  test('a client that does not read is cut off, and another one is served meanwhile', async () => {
    const slow = await open();
    slow.pause();
    const quick = read(await open());
    await expect.poll(() => memory.listeners.size).toBe(2);
    const big = { ...EVENT, type: 'ADD_TASK' as const, detail: JSON.stringify({ task: 'x'.repeat(60_000) }) };
    for (let n = 0; n < 400 && memory.listeners.size === 2; n += 1) {
      memory.emit(big);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect.poll(() => memory.listeners.size).toBe(1);
    memory.emit({ ...EVENT, task_id: 'after' });
    await expect.poll(() => quick.text).toContain('"task_id":"after"');
    slow.destroy();
  });

  test('one key has a bounded number of them; another key, and one that ends, make room', async () => {
    await server.close();
    server = await startApi(memory, { EVENT_STREAMS_PER_KEY: '2' });
    await server.listen({ port: 0, host: '127.0.0.1' });
    port = (server.server.address() as { port: number }).port;
    const first = await open();
    await open();
    await expect.poll(() => memory.listeners.size).toBe(2);
    const third = await open();
    expect([third.statusCode, third.headers['retry-after']]).toEqual([429, '15']);
    const mine = jwt;
    jwt = await tokenOf(server, OID, READER_SECRET);
    expect((await open()).statusCode).toBe(200);
    jwt = mine;
    first.destroy();
    await expect.poll(async () => (await open()).statusCode).toBe(200);
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

describe('who comes back', () => {
  const event = (task_id: string) => ({ ...EVENT, task_id });

  test('gets what was written since, then what is written now, each once and in order', async () => {
    memory.emit(event('seen'));
    memory.emit(event('missed-1'), 1);
    memory.emit({ ...event('other'), oid: BARE_OID });
    memory.emit(event('missed-2'));
    const gate = Promise.withResolvers<void>();
    memory.beforeReplay = () => gate.promise;
    const response = await open('', OID, sealed('1,0'));
    const stream = read(response);
    await expect.poll(() => memory.listeners.size).toBe(1);
    memory.emit(event('now-1'));
    memory.emit(event('now-2'), 1);
    expect(stream.text).not.toContain('task_id');
    gate.resolve();
    await expect.poll(() => stream.text).toContain('now-2');
    expect(tasksIn(stream.text)).toEqual(['missed-1', 'missed-2', 'now-1', 'now-2']);
    expect(idsIn(stream.text)).toEqual(['1,1', '3,1', '4,1', '4,2']);
    expect(unsealed(/^: connected\nid: (.*)\n\n/.exec(stream.text)?.[1] ?? '')).toBe('1,0');
    response.destroy();
  });

  test('goes on from every id that it may have seen last, and misses nothing', async () => {
    const sent = { ...EVENT, type: 'TASK_SENT' as const, detail: JSON.stringify({ confirms: false }) };
    memory.emit(event('a'));
    memory.emit({ ...sent, task_id: 'b' });
    memory.emit(event('c'), 1);
    const whole = read(await open('', OID, sealed('0,0')));
    await expect.poll(() => tasksIn(whole.text)).toEqual(['a', 'b', 'b', 'c']);
    const ids = idsIn(whole.text);
    for (const [i, id] of ids.entries()) {
      const rest = read(await open('', OID, sealed(id)));
      const wanted = tasksIn(whole.text).slice(i + 1);
      await expect.poll(() => tasksIn(rest.text).slice(-wanted.length || 1)).toEqual(wanted);
    }
  });

  test('to a replay that fails is cut off, and can come again', async () => {
    memory.beforeReplay = () => Promise.reject(new Error('Kafka is away'));
    const stream = read(await open('', OID, sealed('0,0')));
    await expect.poll(() => stream.ended).toBe(true);
  });

  test('with an unreadable id, or an id of another org, gets a gap and then what is written now: it would come with it for ever', async () => {
    memory.emit(event('before'));
    const answers: string[] = [];
    for (const id of ['x', '0,0', sealed('0,0', BARE_OID), sealed('0,0').slice(0, -2), 'e'.repeat(100)]) {
      const response = await open('', OID, id);
      expect(response.statusCode).toBe(200);
      const stream = read(response);
      await expect.poll(() => stream.text).toMatch(/^: connected\nid: .*\n\nevent: gap\ndata: \{\}\n\n$/);
      expect(unsealed(/id: (.*)/.exec(stream.text)?.[1] ?? '')).toBe(`${memory.emitted.length},0`);
      memory.emit(event('now'));
      await expect.poll(() => tasksIn(stream.text)).toEqual(['now']);
      answers.push(stream.text.replace(/^id: .*$/gm, 'id'));
      response.destroy();
      await expect.poll(() => memory.listeners.size).toBe(0);
    }
    expect(new Set(answers).size).toBe(1);
  });
});
