/** The sensors over HTTP on real Kafka and Redis: what is changed of one is read back at once, and what matches is sent. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { SensorFacts } from '../../src/model/records.ts';
import { FACTS } from '../api/support/memory.ts';
import { System, soon } from './support/system.ts';

const LINUX = 0x20000000;
const system = new System();
const facts = (hostname: string): SensorFacts => ({ ...FACTS, hostname, plat: LINUX, tags: ['own'] });
let jwt: string;

beforeAll(async () => {
  await system.start(['api', 'projector', 'joiner']);
  const form = new URLSearchParams({ oid: system.oid, secret: system.apiKey });
  jwt = ((await (await fetch(system.url, { method: 'POST', body: form })).json()) as { jwt: string }).jwt;
  await system.presence({ sid: 's-1', connection_id: 'c-1', sensor: facts('web-1') });
  await system.presence({ sid: 's-2', event: 'UPDATED', connection_id: '', sensor: facts('web-2') });
  await vi.waitFor(async () => expect((await call('GET', `/v1/sensors/${system.oid}`)).sensors).toHaveLength(2), soon);
}, 120_000);
afterAll(() => system.stop());

async function call(method: string, path: string, form = '', status = 200): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${jwt}`, 'content-type': 'application/x-www-form-urlencoded' };
  const body = method === 'GET' ? {} : { body: form };
  const answer = await fetch(system.url + path, { method, headers, ...body });
  const read = (await answer.json()) as Record<string, unknown>;
  expect([path, answer.status, read.error ?? '']).toEqual([path, status, status < 300 ? '' : expect.any(String)]);
  return read;
}
const infoOf = async (sid: string) => (await call('GET', `/v1/${sid}`)).info as Record<string, unknown>;

it('a tag is read back at once, narrows a listing, and makes a waiting task match', async () => {
  const { task_id } = await system.client.request<{ task_id: string }>('task', { task: 'os_version', tag: 'a/b' });
  await call('POST', '/v1/s-1/tags', 'tags=a%2Fb');
  expect((await infoOf('s-1')).tags).toEqual(['own', 'a/b']);
  expect(await call('GET', `/v1/tags/${system.oid}/a%2Fb`)).toEqual({ 's-1': { sid: 's-1', hostname: 'web-1' } });
  expect(await call('GET', `/v1/tags/${system.oid}`)).toEqual({ tags: ['a/b', 'own'] });
  await vi.waitFor(() => expect(system.sent(task_id, 's-1')).toHaveLength(1), soon);
  await call('DELETE', '/v1/s-1/tags', 'tags=a%2Fb,own');
  expect((await infoOf('s-1')).tags).toEqual([]);
  expect(
    (await call('GET', `/v1/sensors/${system.oid}?selector=${encodeURIComponent('`own` in tags')}`)).sensors,
  ).toMatchObject([{ sid: 's-2' }]);
});

it('a tag that runs out is gone, and isolation is a wish that stays', async () => {
  await call('POST', '/v1/s-2/tags', 'tags=short&ttl=1');
  expect((await infoOf('s-2')).tags).toContain('short');
  await vi.waitFor(async () => expect((await infoOf('s-2')).tags).not.toContain('short'), soon);
  await call('POST', '/v1/s-2/isolation');
  expect(await infoOf('s-2')).toMatchObject({ should_isolate: true, is_isolated: false });
  await call('DELETE', '/v1/s-2/isolation');
  expect(await infoOf('s-2')).toMatchObject({ should_isolate: false });
});

it('a command for now is sent once to who is online, and refused for who is not', async () => {
  const before = system.seen.dispatches.length;
  await call('POST', '/v1/s-1', 'tasks=os_version&investigation_id=inv%2F7');
  await vi.waitFor(() => expect(system.seen.dispatches.length).toBeGreaterThan(before), soon);
  const { dispatch } = system.seen.dispatches.at(-1) as { dispatch: { task_id: string; sid: string } };
  expect(dispatch).toMatchObject({ sid: 's-1', task: 'os_version', investigation_id: 'inv/7', connection_id: 'c-1' });
  await call('POST', '/v1/s-2', 'tasks=os_version', 409);
  await vi.waitFor(() => expect(system.eventsOf(dispatch.task_id, 'TASK_DONE', 's-1')).toHaveLength(1), soon);
  await system.presence({ sid: 's-1', connection_id: 'c-2' });
  await system.client.request('signal_attempt', { sid: 's-1' });
  expect(system.sent(dispatch.task_id)).toHaveLength(1);
});

it('what is due is tried now when that is asked for, until it is acknowledged by hand', async () => {
  await system.presence({ sid: 's-1', connection_id: 'c-3' });
  const { task_id } = await system.client.request<{ task_id: string }>('task', { task: 'x', sid: 's-1', context: 'c' });
  await vi.waitFor(() => expect(system.sent(task_id, 's-1').map(({ attempt }) => attempt)).toEqual([1]), soon);
  expect(await system.client.request('signal_attempt', { sid: 's-1' })).toEqual({ sid: 's-1', online: true });
  await vi.waitFor(() => expect(system.sent(task_id, 's-1').map(({ attempt }) => attempt)).toEqual([1, 2]), soon);
  const inv_id = `c/${task_id}`;
  expect(await system.client.request('signal_received', { sid: 's-1', inv_id })).toEqual({ sid: 's-1', task_id });
  const { counts } = await system.client.request<{ counts: object }>('get', { task_id });
  expect(counts).toMatchObject({ done: 1, sent: 0, queued: 0 });
  await vi.waitFor(() => expect(system.eventsOf(task_id, 'TASK_DONE', 's-1')).toHaveLength(1), soon);
});

it('the event stream goes on from Kafka where a reader left it', async () => {
  const task = async () =>
    (await system.client.request<{ task_id: string }>('task', { task: 'x', sid: 'none' })).task_id;
  const opened = Promise.withResolvers<void>();
  const first = system.client.events({}, '', () => opened.resolve());
  const next = first.next();
  await opened.promise;
  const seen = await task();
  const { value } = (await next) as { value: { id: string; data: string } };
  await first.return(undefined);
  expect(value.data).toContain(seen);
  const missed = [await task(), await task(), await task()];
  const found: string[] = [];
  for await (const { event, data } of system.client.events({}, value.id, () => {})) {
    if (event === 'add_task') found.push((JSON.parse(data) as { event: { task_id: string } }).event.task_id);
    if (found.length === 3) found.push(await task());
    if (found.length === 5) break;
  }
  expect(found.slice(0, 3).sort()).toEqual(missed.sort());
  expect(found[3]).toBe(found[4]);
});

it('a sensor that is forgotten is gone at once, and known again when it connects', async () => {
  await call('DELETE', '/v1/s-2');
  await call('GET', '/v1/s-2', '', 404);
  expect(await call('POST', `/v1/online/${system.oid}`)).toEqual({ 's-1': true });
  expect(await system.client.request('preview', { selector: 'plat == linux' })).toMatchObject({ total_sensors: 1 });
  await system.presence({ sid: 's-2', connection_id: randomUUID(), sensor: facts('web-2') });
  await vi.waitFor(async () => expect(await infoOf('s-2')).toMatchObject({ tags: ['own'] }), soon);
});
