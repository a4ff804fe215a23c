/** The REST API on real Kafka and Redis: one process with all roles, sensors that this file plays. */
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createCodec } from '../../src/edges/avro/codec.ts';
import { createKafka } from '../../src/edges/kafka/kafkajs/client.ts';
import { createProducer, type Producer } from '../../src/edges/kafka/producer.ts';
import { startTail, type Tail } from '../../src/edges/kafka/tail.ts';
import {
  RECORD_NAMES,
  type RecordName,
  type SensorEvent,
  type SensorFacts,
  type SensorPresence,
  type TaskDispatch,
} from '../../src/model/records.ts';
import { type Server, startServer } from '../../src/server.ts';
import { SseParser } from '../../src/text/sse.ts';
import { topicNames } from '../../src/topics.ts';
import { FACTS } from '../api/support/memory.ts';

const prefix = `api-${randomUUID()}-`;
const oid = randomUUID();
const secret = randomUUID();
const topics = topicNames(prefix);
const codec = createCodec({
  topicOf: Object.fromEntries(RECORD_NAMES.map((n) => [n, n])) as Record<RecordName, string>,
});
const log = pino({ level: 'silent' });
const soon = { timeout: 20_000, interval: 20 };

const WINDOWS = 0x10000000;
const LINUX = 0x20000000;
const dispatches: TaskDispatch[] = [];
let server: Server;
let producer: Producer;
let tail: Tail;
let jwt: string;

beforeAll(async () => {
  const config = readConfig({
    ...process.env,
    KAFKA_TOPIC_PREFIX: prefix,
    TOPIC_PARTITIONS: '2',
    HTTP_PORT: '0',
    JWT_SECRET: 'a secret of the integration test',
    BOOTSTRAP_OID: oid,
    BOOTSTRAP_API_KEY: secret,
  });
  server = await startServer(config, ['api', 'projector', 'joiner'], log);
  const kafka = createKafka(config, log);
  producer = await createProducer(kafka, 'durable');
  tail = await startTail({
    kafka,
    topic: topics.dispatch,
    from: 'beginning' as const,
    log,
    onRecords: (records) => {
      for (const { value } of records) if (value) dispatches.push(codec.decode('TaskDispatch', value));
    },
  });
  await vi.waitFor(async () => expect((await fetch(`${server.url}/readyz`)).status).toBe(200), soon);
  const answer = await fetch(`${server.url}/`, { method: 'POST', body: new URLSearchParams({ oid, secret }) });
  jwt = ((await answer.json()) as { jwt: string }).jwt;
  await sayAll(['sensor-123-abc', 'win-1', 'win-2'], WINDOWS, 'CONNECTED');
  await sayAll(['lin-1', 'lin-2'], LINUX, 'CONNECTED');
  await sayAll(['lin-off'], LINUX, 'UPDATED');
}, 120_000);

afterAll(async () => {
  await tail?.stop();
  await producer?.stop();
  await server?.stop();
});

const facts = (sid: string, plat: number): SensorFacts => ({
  ...FACTS,
  hostname: `host-${sid}`,
  plat,
  tags: plat === LINUX ? ['production'] : [],
});

const sayAll = (sids: string[], plat: number, event: SensorPresence['event']) =>
  producer.send(
    topics.presence,
    sids.map((sid) => ({
      key: sid,
      value: codec.encode('SensorPresence', {
        event,
        oid,
        sid,
        connection_id: event === 'UPDATED' ? '' : `connection-of-${sid}`,
        occurred_at: Date.now(),
        sensor: facts(sid, plat),
        add_tags: [],
        remove_tags: [],
        set_should_isolate: null,
        try_now: false,
      }),
    })),
  );

async function receipt(sid: string, taskId: string, error: number): Promise<void> {
  const record: SensorEvent = {
    oid,
    sid,
    event_type: 'RECEIPT',
    event_id: randomUUID(),
    occurred_at: Date.now(),
    investigation_id: null,
    task_id: taskId,
    routing: '{}',
    event: JSON.stringify({ ERROR: error }),
  };
  await producer.send(topics.sensorEvents, [{ key: sid, value: codec.encode('SensorEvent', record) }]);
}

type Answer = { status: number; code: string | undefined; data: Record<string, unknown> };

/** As curl --data sends it. */
async function curl(action: string, data: string): Promise<Answer> {
  const answer = await fetch(`${server.url}/v1/extension/request/ext-reliable-tasking`, {
    method: 'POST',
    headers: { authorization: `Bearer ${jwt}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: `oid=${oid}&action=${action}&data=${data}`,
  });
  const body = (await answer.json()) as { error_code?: string; data: Record<string, unknown> };
  return { status: answer.status, code: body.error_code, data: body.data };
}
const ask = (action: string, data: object) => curl(action, encodeURIComponent(JSON.stringify(data)));
const queue = async (data: object): Promise<string> =>
  (await ask('task', { task: 'os_version', ...data })).data.task_id as string;
const sidsOf = (taskId: string) => dispatches.filter(({ task_id }) => task_id === taskId).map(({ sid }) => sid);

describe('the documented requests, as curl sends them', () => {
  it.each<[string, string, number, number]>([
    [
      'run --shell-command whoami',
      '{"context":"version","selector":"plat==windows","task":"run --shell-command whoami","ttl":3600}',
      3,
      0,
    ],
    ['os_version', `{"task":"os_version","selector":"sid=='sensor-123-abc'","ttl":86400}`, 1, 0],
    [
      'file_get -f /etc/passwd',
      '{"task":"file_get -f /etc/passwd","selector":"plat==linux and production in tags","context":"audit-2024","ttl":172800}',
      2,
      1,
    ],
    ['netstat', `{"task":"netstat","selector":"plat==linux and int_ip matches '^10\\\\.3\\\\..*'"}`, 2, 1],
    ['os_version', '{"task":"os_version","ttl":3600}', 5, 1],
    ['echo 1+1 && b 100% A %41', '{"task":"echo 1+1 && b 100% %41 %2541"}', 5, 1],
  ])('%s', async (commandLine, data, online, offline) => {
    const { status, data: answer } = await curl('task', data);
    expect(status).toBe(200);
    expect(answer).toEqual({
      task_id: expect.any(String),
      total_sensors: online + offline,
      tasked_sensors: online,
      queued_sensors: offline,
    });
    const listed = (await curl('list', '{}')).data.tasks as { task_id: string; task: string }[];
    expect(listed.find(({ task_id }) => task_id === answer.task_id)?.task).toBe(commandLine);
    await vi.waitFor(() => expect(sidsOf(answer.task_id as string)).toHaveLength(online), soon);
    expect(dispatches.find(({ task_id }) => task_id === answer.task_id)?.task).toBe(commandLine);
    const removed = await curl('untask', `{"task_id":"${answer.task_id}"}`);
    expect(removed).toMatchObject({ status: 200, data: { deleted: online + offline, tasks: 1 } });
    const left = (await curl('list', '{}')).data.tasks as { task_id: string }[];
    expect(left.map(({ task_id }) => task_id)).not.toContain(answer.task_id);
  });
});

describe('a task on its way', () => {
  it('is seen in get and on the stream, from the request to the ack', async () => {
    const stop = new AbortController();
    const events: [string, string | undefined][] = [];
    const response = await fetch(`${server.url}/v1/orgs/${oid}/events`, {
      headers: { authorization: `Bearer ${jwt}` },
      signal: stop.signal,
    });
    const taskId = await queue({ selector: 'plat == linux' });
    const reading = (async () => {
      const parser = new SseParser();
      for await (const chunk of response.body!)
        for (const { event, data } of parser.push(chunk)) {
          const activity = JSON.parse(data) as { event: { task_id: string; sid?: string } };
          if (activity.event.task_id === taskId) events.push([event, activity.event.sid]);
        }
    })().catch(() => undefined);
    await vi.waitFor(() => expect(sidsOf(taskId).sort()).toEqual(['lin-1', 'lin-2']), soon);
    await receipt('lin-1', taskId, 0);
    await receipt('lin-2', taskId, 5);
    await vi.waitFor(async () => {
      const { data } = await ask('get', { task_id: taskId });
      expect(data.counts).toEqual({ queued: 1, sent: 0, done: 1, failed: 1, expired: 0, removed: 0 });
      expect(
        (data.sensors as { sid: string; hostname: string; state: string }[]).map((s) => [s.sid, s.hostname, s.state]),
      ).toEqual([
        ['lin-1', 'host-lin-1', 'done'],
        ['lin-2', 'host-lin-2', 'failed'],
        ['lin-off', 'host-lin-off', 'queued'],
      ]);
      expect((data.acknowledged as string[]).sort()).toEqual(['lin-1', 'lin-2']);
    }, soon);
    expect(await ask('untask', { task_id: taskId })).toMatchObject({ data: { deleted: 1, tasks: 1 } });
    await vi.waitFor(() => expect(events.map(([name]) => name)).toContain('task_removed'), soon);
    expect(new Set(events.map(([name, sid]) => `${name} ${sid ?? ''}`.trim()))).toEqual(
      new Set([
        'add_task',
        'try_task lin-1',
        'try_task lin-2',
        'task_sent lin-1',
        'task_sent lin-2',
        'task_done lin-1',
        'task_failure lin-2',
        'task_removed',
      ]),
    );
    stop.abort();
    await reading;
  });

  it('with ttl 0 is accepted, sent to nobody, and ends as expired', async () => {
    const { status, data } = await ask('task', { task: 'os_version', ttl: 0 });
    expect([status, data.total_sensors]).toEqual([200, 0]);
    const taskId = data.task_id as string;
    await vi.waitFor(
      async () =>
        expect((await ask('list', { state: 'ended' })).data.tasks).toContainEqual(
          expect.objectContaining({ task_id: taskId }),
        ),
      soon,
    );
    expect((await ask('get', { task_id: taskId })).data).toMatchObject({ state: 'expired' });
    expect(sidsOf(taskId)).toEqual([]);
  });
});

describe('idempotency', () => {
  it('gives one task to twenty callers at once, and refuses other content', async () => {
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 20 }, () => queue({ idempotency_key: key, sid: 'nobody' })));
    expect(new Set(answers).size).toBe(1);
    const other = await ask('task', { task: 'netstat', idempotency_key: key });
    expect([other.status, other.code]).toEqual([409, 'idempotency_conflict']);
    await ask('untask', { task_id: answers[0] });
    const gone = await ask('task', { task: 'os_version', idempotency_key: key, sid: 'nobody' });
    expect([gone.status, gone.code]).toEqual([409, 'idempotency_conflict']);
  });

  it('of two callers with one key and other content one wins', async () => {
    const idempotency_key = randomUUID();
    const answers = await Promise.all(
      ['a', 'b'].map((context) => ask('task', { task: 'os_version', sid: 'nobody', context, idempotency_key })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    await ask('untask', { selector: '*' });
  });
});

describe('untask and list for some sensors', () => {
  it('withdraws the deliveries of a sensor and leaves the rest', async () => {
    const [all, offline, windows] = await Promise.all([
      queue({}),
      queue({ sid: 'lin-off' }),
      queue({ selector: 'plat == windows' }),
    ]);
    const idsFor = async (target: object) =>
      ((await ask('list', target)).data.tasks as { task_id: string }[]).map(({ task_id }) => task_id).sort();
    expect(await idsFor({ sid: 'lin-off' })).toEqual([all, offline].sort());
    expect(await ask('untask', { sid: 'lin-off' })).toMatchObject({ status: 200, data: { deleted: 2, tasks: 0 } });
    expect(await idsFor({ sid: 'lin-off' })).toEqual([]);
    expect(await idsFor({ sid: 'win-1' })).toEqual([all, windows].sort());
    expect(await ask('untask', { task_id: all, tag: 'production' })).toMatchObject({ data: { deleted: 2, tasks: 0 } });
    expect((await ask('get', { task_id: all })).data.counts).toMatchObject({ removed: 3 });
    expect(await ask('untask', { selector: '*' })).toMatchObject({ status: 200, data: { tasks: 3 } });
    expect((await ask('list', {})).data).toEqual({ tasks: [] });
  });
});
