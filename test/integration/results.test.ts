/** What sensors answer under a task's investigation id, from `sensor-events` to page, JSON Lines, CSV and the command line. */
import { randomUUID } from 'node:crypto';
import type { Static } from '@sinclair/typebox';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { ResultLine, ResultRow, ResultsAnswer } from '../../src/api/tasks/results.ts';
import { EXIT } from '../../src/cli/codes.ts';
import { createKafka } from '../../src/edges/kafka/kafkajs/client.ts';
import { connectRedis, type RedisClient } from '../../src/edges/redis/client.ts';
import { keys } from '../../src/edges/redis/layout.ts';
import { wipeOrgs } from '../../src/edges/redis/wipe.ts';
import { replyOf } from '../../src/fleet/replies.ts';
import { FACTS } from '../api/support/memory.ts';
import { run } from '../cli/fixtures.ts';
import { System, soon } from './support/system.ts';

type Page = Static<typeof ResultsAnswer>;

const system = new System({ TOPIC_PARTITIONS: '2' });
let redis: RedisClient;
let taskId = '';
let investigation = '';

const path = (id = taskId, query = '') => `/v1/orgs/{oid}/tasks/${id}/results?${query}`;
const page = (query = '', id = taskId) => system.client.call<Page>('GET', path(id, query));
const rowOf = async (sid: string): Promise<ResultRow> => {
  const row = (await page(`sid=${sid}`)).sensors.find((one) => one.sid === sid);
  if (!row) throw new Error(`no row of ${sid}`);
  return row;
};
const textOf = async (query: string): Promise<string> => {
  let text = '';
  for await (const piece of system.client.text(path(taskId, query))) text += piece;
  return text;
};
const linesOf = async (query = ''): Promise<ResultLine[]> =>
  (await textOf(`format=jsonl&${query}`))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as ResultLine);
const rt = (...args: string[]) =>
  run(args, { env: { RT_URL: system.url, RT_OID: system.oid, RT_API_KEY: system.apiKey }, columns: 200 });

beforeAll(async () => {
  await system.start(['api', 'projector', 'joiner', 'responder']);
  redis = await connectRedis(system.config, system.log);
  const queued = { task: 'os_version', tag: 'production', context: 'case-7', ttl: 600 };
  ({ task_id: taskId } = await system.client.request<{ task_id: string }>('task', queued));
  for (const sid of ['s-1', 's-2', 's-3'])
    await system.presence({ sid, sensor: { ...FACTS, hostname: `${sid}.corp`, tags: ['production'] } });
  await vi.waitFor(() => expect(system.sent(taskId)).toHaveLength(3), soon);
  investigation = system.sent(taskId)[0]?.investigation_id ?? '';
}, 120_000);
afterAll(async () => {
  await redis?.stop();
  await system.stop();
});

test('a receipt and an answer are shown with state, receipt, routing and body; copies count once', async () => {
  const { eventType, body } = replyOf('os_version', { facts: { ...FACTS, hostname: 's-1.corp' } } as never);
  const answer = { sid: 's-1', investigation_id: investigation, event_id: 'e-2' };
  await system.answer({ sid: 's-1', investigation_id: investigation, event_id: 'e-1' }, { ERROR: 0 });
  await system.answer({ ...answer, event_type: eventType }, body);
  await system.answer({ ...answer, event_type: eventType }, body);
  await system.answer({ sid: 's-1', task_id: taskId, event_type: 'DELIVERED' });
  await vi.waitFor(async () => expect((await rowOf('s-1')).response_count).toBe(2), soon);
  await vi.waitFor(async () => expect((await rowOf('s-1')).state).toBe('done'), soon);
  const row = await rowOf('s-1');
  expect(row.receipt).toEqual({ at: row.at, error: '0' });
  expect(row.responses.map(({ event_id, event_type, body }) => [event_id, event_type, body])).toEqual([
    ['e-1', 'RECEIPT', 'kept'],
    ['e-2', 'OS_VERSION_REP', 'kept'],
  ]);
  expect(row.responses[1]?.event).toEqual(body);
  expect(row.responses[1]?.routing).toMatchObject({
    oid: system.oid,
    sid: 's-1',
    hostname: 's-1.corp',
    event_type: eventType,
    tags: ['production'],
    investigation_id: `case-7/${taskId}`,
  });
});

test('a page has every sensor of the task, and goes on by its cursor', async () => {
  const first = await page('limit=2');
  expect(first.sensors.map(({ sid, response_count }) => [sid, response_count])).toEqual([
    ['s-1', 2],
    ['s-2', 0],
  ]);
  expect(first.complete).toBe(true);
  const rest = await page(`limit=2&cursor=${first.next_cursor}`);
  expect(rest.sensors.map(({ sid, receipt, responses }) => [sid, receipt, responses])).toEqual([['s-3', null, []]]);
  expect(rest.next_cursor).toBeUndefined();
});

test('a body over the bound is named and left out; an odd event id is kept as a hash', async () => {
  const blob = 'x'.repeat(1024 * 1024 + 1);
  await system.answer({ sid: 's-2', task_id: taskId, event_id: `${'y'.repeat(90)}` }, { ERROR: 5, blob });
  await vi.waitFor(async () => expect((await rowOf('s-2')).state).toBe('failed'), soon);
  await vi.waitFor(async () => expect((await rowOf('s-2')).response_count).toBe(1), soon);
  const { receipt, responses } = await rowOf('s-2');
  expect(receipt?.error).toBe('5');
  expect(responses[0]).toMatchObject({ body: 'too_large', event_id: expect.stringMatching(/^#[0-9a-f]{32}$/) });
  expect(responses[0]?.bytes).toBeGreaterThan(blob.length);
  expect(responses[0]).not.toHaveProperty('event');
});

test('JSON Lines and CSV have every response a line, and the sensors without one', async () => {
  const lines = await linesOf();
  const shown = lines.map(({ sid, response }) => `${sid} ${response?.event_type ?? '-'}`);
  expect(shown.toSorted()).toEqual(['s-1 OS_VERSION_REP', 's-1 RECEIPT', 's-2 RECEIPT', 's-3 -']);
  expect((await linesOf('sid=s-1')).map(({ response }) => response?.event_id)).toEqual(['e-1', 'e-2']);
  const rows = (await textOf('format=csv')).trimEnd().split('\r\n');
  expect(rows[0]).toBe(
    'sid,hostname,state,attempt,at,reason,receipt_at,error,event_type,event_id,response_at,body,event',
  );
  expect(rows).toHaveLength(5);
  expect(rows.find((line) => line.includes('e-1'))).toMatch(/^s-1,s-1\.corp,done,1,.*,kept,"\{""ERROR"":0\}"$/);
});

test('rt results prints a table, the page as JSON, and streams; rt show counts the answers', async () => {
  const shown = await rt('results', taskId);
  expect(shown.exitCode).toBe(0);
  expect(shown.out).toMatch(/s-1 +s-1\.corp +done +RECEIPT .*\{"ERROR":0\}/);
  expect(shown.out).toContain('larger than 1 MiB');
  const { out: json } = await rt('results', taskId, '--json', '--limit', '1');
  expect(JSON.parse(json)).toMatchObject({ task_id: taskId, sensors: [{ sid: 's-1', response_count: 2 }] });
  expect((await rt('results', taskId, '--output', 'jsonl', '--sid', 's-1')).out.trim().split('\n')).toHaveLength(2);
  expect((await rt('results', taskId, '--output', 'csv')).out).toContain('OS_VERSION_REP');
  expect((await rt('show', taskId)).out).toMatch(/s-1 +s-1\.corp +done +1 +2 /);
  const unknown = await rt('results', randomUUID());
  expect([unknown.exitCode, unknown.err]).toEqual([EXIT.notFound, expect.stringContaining('task_unknown')]);
});

test('another org sees nothing of it, and its answers under the same task id do not count', async () => {
  const other = randomUUID();
  await system.subscribe(other);
  await system.answer({ oid: other, sid: 's-1', task_id: taskId, event_id: 'foreign' });
  await system.answer({ sid: 's-1', task_id: taskId, event_id: 'late' });
  await vi.waitFor(async () => expect((await rowOf('s-1')).response_count).toBe(3), soon);
  expect((await rowOf('s-1')).responses.map(({ event_id }) => event_id)).toEqual(['e-1', 'e-2', 'late']);
  expect(await redis.pipeline([{ oid: other, name: 'exists', args: [keys.responses(other, taskId)] }])).toEqual([0]);
  await expect(system.client.call('GET', `/v1/orgs/${other}/tasks/${taskId}/results`)).rejects.toMatchObject({
    code: 'forbidden',
  });
});

test('after Redis has lost all it comes back from the topic', async () => {
  await wipeOrgs(redis, [system.oid]);
  await vi.waitFor(async () => expect((await rowOf('s-1')).response_count).toBe(3), { ...soon, timeout: 60_000 });
  expect((await rowOf('s-1')).responses.map(({ body }) => body)).toEqual(['kept', 'kept', 'kept']);
  expect((await rowOf('s-1')).state).toBe('done');
}, 90_000);

test('what the topic no longer holds is shown as gone', async () => {
  const admin = createKafka(system.config, system.log).admin();
  await admin.connect();
  const topic = system.topics.sensorEvents;
  const ends = await admin.fetchTopicOffsets(topic);
  const partitions = ends.map(({ partition, high }) => ({ partition, offset: high }));
  await admin.deleteTopicRecords({ topic, partitions: partitions.filter(({ offset }) => offset !== '0') });
  await admin.disconnect();
  await vi.waitFor(async () => {
    const { responses } = await rowOf('s-1');
    expect(responses.map(({ event_type, body }) => [event_type, body])).toEqual([
      ['RECEIPT', 'gone'],
      ['OS_VERSION_REP', 'gone'],
      ['RECEIPT', 'gone'],
    ]);
  }, soon);
  expect((await linesOf('sid=s-1')).map(({ response }) => response?.body)).toEqual(['gone', 'gone', 'gone']);
  // What comes after it is read as before.
  await system.answer({ sid: 's-3', task_id: taskId, event_id: 'new' }, { fine: true });
  await vi.waitFor(async () => expect((await rowOf('s-3')).responses[0]?.event).toEqual({ fine: true }), soon);
});

test('an untasked task keeps its responses for the retention, and no longer', async () => {
  await system.client.request('untask', { task_id: taskId });
  const [record, responses] = (await redis.pipeline(
    [keys.record(system.oid, taskId), keys.responses(system.oid, taskId)].map((key) => ({
      oid: system.oid,
      name: 'pttl',
      args: [key],
    })),
  )) as [number, number];
  expect(Math.abs(record - responses)).toBeLessThan(1_000);
  expect((await rowOf('s-3')).response_count).toBe(1);
});
