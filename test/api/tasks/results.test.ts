import { afterEach, beforeEach, expect, test } from 'vitest';
import { ResultLineSchema, ResultsAnswer } from '../../../src/api/tasks/results.ts';
import type { HttpServer } from '../../../src/edges/http/server.ts';
import type { Response } from '../../../src/responder/responses/responses.ts';
import { OID, PAST_OID, READER_SECRET } from '../../command/orgs.ts';
import { conform } from '../support/conforms.ts';
import { act, Memory, startApi, tokenOf } from '../support/memory.ts';

const MIB = 1024 * 1024;

let memory: Memory;
let server: HttpServer;
let jwt: string;
let taskId: string;

beforeEach(async () => {
  memory = new Memory();
  server = await startApi(memory);
  jwt = await tokenOf(server);
  for (const sid of ['a', 'b', 'c']) memory.addSensor(sid);
  taskId = (await act(server, jwt, 'task', { task: 'os_version' })).body.data.task_id as string;
});
afterEach(() => server.close());

const ask = (query = '', token = jwt, oid = OID, id = taskId) =>
  server.inject({ url: `/v1/orgs/${oid}/tasks/${id}/results?${query}`, headers: { authorization: `Bearer ${token}` } });
const page = async (query = '') => {
  const answer = await ask(query);
  expect(answer.statusCode, answer.body).toBe(200);
  conform('results', ResultsAnswer, answer.json());
  return answer.json();
};

/** A response of a sensor, at the next offset; `at` changes the record that stands there. */
function respond(sid: string, bytes = 100, at: object = {}): void {
  const all = memory.responses.get(taskId) ?? [];
  const offset = all.length;
  const eventId = `e${offset}`;
  const response: Response = { sid, eventId, eventType: 'OS_VERSION_REP', atMs: 5, partition: 0, offset, bytes };
  memory.responses.set(taskId, [...all, response]);
  memory.bodies.set(`0 ${offset}`, {
    oid: OID,
    sid,
    event_type: 'OS_VERSION_REP',
    event_id: eventId,
    occurred_at: 5,
    task_id: taskId,
    investigation_id: null,
    routing: '{}',
    event: JSON.stringify({ n: offset }),
    ...at,
  });
}

test('a body whose record is another one, or of another org, is gone', async () => {
  respond('a', 100, { oid: PAST_OID });
  respond('a', 100, { sid: 'b' });
  respond('a', 100, { event_id: 'other' });
  respond('a', 100, { event: 'no JSON' });
  respond('a');
  const [{ responses }] = (await page('sid=a')).sensors;
  expect(responses.map(({ body }: { body: string }) => body)).toEqual(['gone', 'gone', 'gone', 'gone', 'kept']);
  expect(responses[4]).toMatchObject({ event: { n: 4 }, routing: { investigation_id: taskId, hostname: 'host' } });
});

test('a body that is nested too deep, from before the limit, does not break the other results', async () => {
  const deep = `{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`;
  respond('a', 100, { event: deep });
  respond('a', 100, { routing: deep });
  respond('b');
  const [a, b] = (await page()).sensors;
  expect(a.responses).toMatchObject([{ body: 'too_deep' }, { body: 'too_deep' }]);
  expect(b.responses).toMatchObject([{ body: 'kept', event: { n: 2 } }]);
  for (const format of ['jsonl', 'csv']) {
    const { statusCode, body } = await ask(`format=${format}`);
    expect([statusCode, body.match(/too_deep/g)?.length]).toEqual([200, 2]);
  }
});

test('a page shows ten responses of each sensor, of one alone a thousand, and always how many there are', async () => {
  for (let i = 0; i < 15; i += 1) respond('a');
  const [first] = (await page()).sensors;
  expect([first.response_count, first.responses.length]).toEqual([15, 10]);
  const [alone] = (await page('sid=a')).sensors;
  expect([alone.response_count, alone.responses.length]).toEqual([15, 15]);
});

test('a page ends before its bodies are more than eight MiB, and goes on with the next sensor', async () => {
  for (const sid of ['a', 'b', 'c']) for (let i = 0; i < 4; i += 1) respond(sid, MIB);
  const first = await page();
  expect(first.sensors.map(({ sid }: { sid: string }) => sid)).toEqual(['a', 'b']);
  const rest = await page(`cursor=${first.next_cursor}`);
  expect(rest.sensors.map(({ sid, responses }: { sid: string; responses: [] }) => [sid, responses.length])).toEqual([
    ['c', 4],
  ]);
  expect(rest).not.toHaveProperty('next_cursor');
  expect(memory.bodiesAsked.every((count) => count <= 4)).toBe(true);
});

test('of one sensor with more than that the first are shown, and JSON Lines have all', async () => {
  for (let i = 0; i < 12; i += 1) respond('a', MIB);
  const [row] = (await page('sid=a')).sensors;
  expect([row.response_count, row.responses.length]).toEqual([12, 8]);
  const lines = (await ask('sid=a&format=jsonl')).body.trim().split('\n');
  expect(lines).toHaveLength(12);
  for (const line of lines) conform('result', ResultLineSchema, JSON.parse(line));
});

test('a body over one MiB is not read', async () => {
  respond('a', MIB + 1);
  expect((await page('sid=a')).sensors[0].responses).toEqual([
    { event_id: 'e0', event_type: 'OS_VERSION_REP', at: 5, bytes: MIB + 1, body: 'too_large' },
  ]);
});

test('CSV quotes bodies and writes no formulas', async () => {
  respond('a', 100, { event: '{"OUT":"a,\\"b\\"\\n"}' });
  const answer = await ask('format=csv&sid=a');
  expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8');
  expect(answer.body.split('\r\n')[1]).toMatch(/,kept,"\{""OUT"":""a,\\""b\\""\\n""\}"$/);
});

test('a sensor that has answered stays in it, though it is known no more and was never stored', async () => {
  respond('gone');
  const { sensors } = await page();
  expect(sensors.map(({ sid }: { sid: string }) => sid)).toEqual(['a', 'b', 'c', 'gone']);
});

test('with more responses than are kept the answer says so', async () => {
  memory.responsesComplete = false;
  expect((await page()).complete).toBe(false);
});

test.each(['', 'format=jsonl', 'format=csv'])('Kafka away: 503, if a body is asked for (%s)', async (query) => {
  memory.kafkaFault = new Error('away');
  expect((await ask(query)).statusCode).toBe(200);
  respond('a');
  const answer = await ask(query);
  expect([answer.statusCode, answer.json().error_code]).toEqual([503, 'unavailable']);
});

test('it needs the org, the right, the task, and fields that are right', async () => {
  const reader = await tokenOf(server, OID, READER_SECRET);
  expect((await ask('', reader)).json().error_code).toBe('forbidden');
  expect((await ask('', jwt, PAST_OID)).json().error_code).toBe('forbidden');
  expect((await ask('', jwt, OID, 'nowhere')).json().error_code).toBe('task_unknown');
  expect((await ask('format=xml')).statusCode).toBe(400);
  expect((await ask('limit=0')).statusCode).toBe(400);
  expect((await ask('cursor=x')).json().error_code).toBe('data_invalid');
});
