/** The public LimaCharlie clients, unmodified, by their command lines and SDKs, against one server with all roles. */
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createKafka } from '../../src/edges/kafka/client.ts';
import { createProducer, type Producer } from '../../src/edges/kafka/producer.ts';
import { type Server, startServer } from '../../src/main.ts';
import { topicNames } from '../../src/topics.ts';
import { sayPresence } from './support/presence.ts';
import { PublicClient } from './support/public-client.ts';

const EXT = 'ext-reliable-tasking';
const prefix = `clients-${randomUUID()}-`;
const oid = randomUUID();
const secret = randomUUID();
const windows = randomUUID();
const linux = randomUUID();
const offline = randomUUID();
const soon = { timeout: 20_000, interval: 50 };
const log = pino({ level: 'silent' });

let server: Server;
let producer: Producer;
let v5: PublicClient;
let v4: PublicClient;

type Counts = { task_id: string; total_sensors: number; tasked_sensors: number; queued_sensors: number };
type Envelope<T> = { error: string; version: number; data: T };
type Listed = { tasks: { task_id: string; task: string; context: string | null }[] };

beforeAll(async () => {
  const config = readConfig({
    ...process.env,
    KAFKA_TOPIC_PREFIX: prefix,
    TOPIC_PARTITIONS: '2',
    HTTP_PORT: '0',
    JWT_SECRET: 'a secret of the test of the clients',
    BOOTSTRAP_OID: oid,
    BOOTSTRAP_API_KEY: secret,
  });
  server = await startServer(config, ['api', 'projector', 'joiner'], log);
  producer = await createProducer(createKafka(config, log), 'durable');
  const credentials = { url: server.url, oid, secret };
  [v5, v4] = await Promise.all([
    PublicClient.install('5.10.1', credentials),
    PublicClient.install('4.11.3', credentials),
  ]);
  await vi.waitFor(async () => expect((await fetch(`${server.url}/readyz`)).status).toBe(200), soon);
  await connect([windows], 0x10000000, 'CONNECTED');
  await connect([linux], 0x20000000, 'CONNECTED');
  await connect([offline], 0x20000000, 'UPDATED');
}, 300_000);

afterAll(async () => {
  await producer?.stop();
  await server?.stop();
});

const connect = (sids: string[], plat: number, event: 'CONNECTED' | 'UPDATED') =>
  sayPresence(producer, topicNames(prefix).presence, { oid, sids, plat, event });

/** A task as JSON text for a command line. */
const data = (fields: object) => JSON.stringify(fields);

describe.each([
  ['5.10.1', () => v5, (action: string, fields: object) => ['--action', action, '--data', data(fields)]],
  ['4.11.3', () => v4, (action: string, fields: object) => ['--action', action, '--data', data(fields)]],
] as const)('limacharlie %s: the extension', (_version, client, request) => {
  const ask = <T>(action: string, fields: object) =>
    client().json<Envelope<T>>('extension', 'request', '--name', EXT, ...request(action, fields));

  it('queues a task by selector, lists and removes it', async () => {
    const task = { task: 'os_version', selector: 'plat == linux', context: 'audit', ttl: 3600 };
    await vi.waitFor(async () => {
      const { data } = await ask<Counts>('task', task);
      expect(data).toMatchObject({ total_sensors: 2, tasked_sensors: 1, queued_sensors: 1 });
    }, soon);
    const { data: sent } = await ask<Counts>('task', { ...task, task: 'dir_list /tmp' });
    const { error, version, data: listed } = await ask<Listed>('list', {});
    expect([error, version]).toEqual(['', 1]);
    expect(listed.tasks).toContainEqual(
      expect.objectContaining({ task_id: sent.task_id, task: 'dir_list /tmp', context: 'audit' }),
    );
    const removed = await ask('untask', { task_id: sent.task_id });
    expect(removed.data).toMatchObject({ tasks: 1 });
    expect((await ask<Listed>('list', {})).data.tasks.map(({ task_id }) => task_id)).not.toContain(sent.task_id);
  });
});

describe('limacharlie 5.10.1', () => {
  it('shows the schema and what there is', async () => {
    const schema = await v5.json<{ request_schema: object }>('extension', 'schema', '--name', EXT);
    expect(Object.keys(schema.request_schema)).toEqual(expect.arrayContaining(['task', 'list', 'untask']));
    expect(JSON.stringify(await v5.json('extension', 'list-available'))).toContain(EXT);
  });

  it('sends, lists and deletes by reliable-send, reliable-list and reliable-delete', async () => {
    const sent = await v5.json<Counts>(
      ...['task', 'reliable-send', '--sid', offline, '--command', 'mem_map --pid 4'],
      ...['--investigation-id', 'inv-5', '--ttl', '600'],
    );
    expect(sent).toMatchObject({ total_sensors: 1, queued_sensors: 1 });
    const listed = await v5.json<Listed>('task', 'reliable-list', '--sid', offline);
    expect(listed.tasks).toContainEqual(
      expect.objectContaining({ task_id: sent.task_id, task: 'mem_map --pid 4', context: 'inv-5' }),
    );
    const deleted = await v5.json('task', 'reliable-delete', '--sid', offline, '--task-id', sent.task_id);
    expect(deleted).toMatchObject({ deleted: 1 });
    expect(JSON.stringify(await v5.json('task', 'reliable-list', '--sid', offline))).not.toContain(sent.task_id);
  });

  it('by its SDK, impersonated and unwrapped', async () => {
    const [sent, listed] = await v5.sdk<[Counts, Listed]>(`
sent = ext.request("${EXT}", "task", {"task": "run --shell-command 'echo 1+1 && 100%'", "sid": "${offline}"}, is_impersonated=True, unwrap=True)
result = [sent, ext.request("${EXT}", "list", {"sid": "${offline}"}, unwrap=True)]
`);
    expect(listed.tasks).toContainEqual(
      expect.objectContaining({ task_id: sent.task_id, task: "run --shell-command 'echo 1+1 && 100%'" }),
    );
  });

  it('a wrong key, another org and a wrong selector end as it documents', async () => {
    const list = ['extension', 'request', '--name', EXT, '--action', 'list'];
    const wrongKey = await v5.as({ url: server.url, oid, secret: randomUUID() }).cli(...list);
    expect(wrongKey).toMatchObject({ exit: 2, err: expect.stringContaining('key_invalid') });
    const otherOrg = await v5.as({ url: server.url, oid: randomUUID(), secret }).cli(...list);
    expect(otherOrg).toMatchObject({ exit: 2, err: expect.stringContaining('key_invalid') });
    const body = data({ task: 'os_version', selector: 'nope == 1' });
    const bad = await v5.cli('extension', 'request', '--name', EXT, '--action', 'task', '--data', body);
    expect(bad).toMatchObject({ exit: 1, err: expect.stringContaining('selector_unknown_field') });
    const unknown = await v5.cli(
      'extension',
      'request',
      '--name',
      EXT,
      '--action',
      'get',
      '--data',
      data({ task_id: 'x' }),
    );
    expect(unknown).toMatchObject({ exit: 3, err: expect.stringContaining('has no task x') });
  });
});

describe('limacharlie 4.11.3', () => {
  it('shows the schema and what there is', async () => {
    const schema = await v4.json<{ request_schema: object }>('extension', 'get_schema', '--name', EXT);
    expect(Object.keys(schema.request_schema)).toEqual(expect.arrayContaining(['task', 'list', 'untask']));
    expect(await v4.json('extension', 'get_all')).toHaveProperty(EXT);
    expect(await v4.json('extension', 'get', '--name', EXT)).toMatchObject({ name: EXT });
  });

  it('by its service and its SDK', async () => {
    const [services, sent, listed, all] = await v4.sdk<[string[], Counts, Listed, Counts]>(`
from limacharlie.Replicants import ReliableTasking
service = ReliableTasking(man)
sent = service.task("history_dump", sid="${offline}", ttl=600)
result = [man.getAvailableReplicants(), sent, service.getTasks(sid="${offline}"), service.task("os_version", sid="*")]
`);
    expect(services).toEqual(['reliable-tasking']);
    expect(listed.tasks).toContainEqual(expect.objectContaining({ task_id: sent.task_id, task: 'history_dump' }));
    expect(all.total_sensors).toBe(3);
  });

  it('a wrong key, another org and a wrong selector end as it documents', async () => {
    const list = ['extension', 'request', '--name', EXT, '--action', 'list'];
    const wrongKey = await v4.as({ url: server.url, oid, secret: randomUUID() }).cli(...list);
    expect(wrongKey).toMatchObject({ exit: 1, err: expect.stringContaining('Failed to get JWT') });
    const otherOrg = await v4.as({ url: server.url, oid: randomUUID(), secret }).cli(...list);
    expect(otherOrg).toMatchObject({ exit: 1, err: expect.stringContaining('key_invalid') });
    const body = data({ task: 'os_version', selector: 'nope == 1' });
    const bad = await v4.cli('extension', 'request', '--name', EXT, '--action', 'task', '--data', body);
    expect(bad).toMatchObject({ exit: 1, err: expect.stringContaining('selector_unknown_field') });
  });
});
