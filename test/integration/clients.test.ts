/** The public LimaCharlie clients, unmodified, by their command lines and SDKs, against one server with all roles. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createKafka } from '../../src/edges/kafka/kafkajs/client.ts';
import { createProducer, type Producer } from '../../src/edges/kafka/producer.ts';
import { type Server, startServer } from '../../src/server.ts';
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

const env = () => ({
  ...process.env,
  KAFKA_TOPIC_PREFIX: prefix,
  TOPIC_PARTITIONS: '2',
  HTTP_PORT: '0',
  JWT_SECRET: 'a secret of the test of the clients',
  BOOTSTRAP_OID: oid,
  BOOTSTRAP_API_KEY: secret,
});

beforeAll(async () => {
  const config = readConfig(env());
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

/** As it was written before there was an extension. */
const OLD_RULE = {
  detect: { event: 'CONNECTED', op: 'is tagged', tag: 'needs-work' },
  respond: [
    {
      action: 'service request',
      name: 'reliable-tasking',
      request: { action: 'task', task: 'os_version', sid: '<<routing/sid>>', ttl: 3600 },
    },
  ],
};

function fileOf(value: object): string {
  const file = join(mkdtempSync(join(tmpdir(), 'lc-')), 'value.json');
  writeFileSync(file, JSON.stringify(value));
  return file;
}

type Sensor = { sid: string; hostname: string; plat: number };

describe('limacharlie 5.10.1', () => {
  it('knows who it is, and its subscriptions', async () => {
    const [who, orgs] = await Promise.all([v5.json('auth', 'whoami'), v5.json('auth', 'list-orgs')]);
    for (const seen of [who, orgs]) expect(JSON.stringify(seen)).toContain(oid);
    expect(await v5.cli('auth', 'whoami', '--check-perm', 'sensor.task')).toMatchObject({ exit: 0 });
    for (const action of ['unsubscribe', 'subscribe', 'rekey'])
      expect(await v5.cli('extension', action, '--name', EXT)).toMatchObject({ exit: 0 });
    expect(JSON.stringify(await v5.json('extension', 'list'))).toContain(EXT);
  });

  it('lists sensors, shows one, and tags them', async () => {
    const sensors = await v5.json<Sensor[]>('sensor', 'list', '--selector', 'plat == windows');
    expect(sensors).toMatchObject([{ sid: windows, hostname: `host-${windows}`, plat: 0x10000000 }]);
    expect(JSON.stringify(await v5.json('sensor', 'get', '--sid', windows))).toContain(`host-${windows}`);
    expect(await v5.cli('tag', 'add', '--sid', windows, '--tag', 'a/b', '--ttl', '600')).toMatchObject({ exit: 0 });
    expect(JSON.stringify(await v5.json('tag', 'list', '--sid', windows))).toContain('a/b');
    expect(JSON.stringify(await v5.json('tag', 'find', '--tag', 'a/b'))).toContain(windows);
    expect(await v5.json<Sensor[]>('sensor', 'list', '--tag', 'a/b', '--online')).toMatchObject([{ sid: windows }]);
    expect(await v5.cli('tag', 'remove', '--sid', windows, '--tag', 'a/b')).toMatchObject({ exit: 0 });
    expect(JSON.stringify(await v5.json('tag', 'list'))).not.toContain('a/b');
  });

  it('sends a command to a sensor that is online, and gets an error when it is not', async () => {
    expect(await v5.cli('task', 'send', '--sid', windows, '--task', 'os_version')).toMatchObject({ exit: 0 });
    const refused = await v5.cli('task', 'send', '--sid', offline, '--task', 'os_version');
    expect(refused).toMatchObject({ err: expect.stringContaining(EXT) });
    expect(refused.exit).not.toBe(0);
    expect(await v5.cli('endpoint-policy', 'isolate', '--sid', windows)).toMatchObject({ exit: 0 });
    expect(await v5.cli('endpoint-policy', 'rejoin', '--sid', windows)).toMatchObject({ exit: 0 });
  });

  it('keeps rules in hives', async () => {
    const lookup = ['--hive-name', 'lookup', '--key', 'bad/names'];
    const stored = fileOf({ lookup_data: { 'evil.example': {} } });
    expect(await v5.cli('hive', 'set', ...lookup, '--input-file', stored, '--enabled')).toMatchObject({ exit: 0 });
    expect(JSON.stringify(await v5.json('hive', 'get', ...lookup))).toContain('evil.example');
    const rule = ['--key', 'old rule', '--input-file', fileOf(OLD_RULE), '--enabled'];
    expect(await v5.cli('dr', 'set', ...rule)).toMatchObject({ exit: 0 });
    expect(JSON.stringify(await v5.json('dr', 'list'))).toContain('old rule');
    expect(await v5.cli('dr', 'get', '--key', 'no such rule')).toMatchObject({
      exit: 1,
      err: expect.stringContaining('RECORD_NOT_FOUND'),
    });
    const conflict = await v5.sdk<string>(`
record = Hive(org, "dr-general").get("old rule")
record.etag = "another"
try:
    Hive(org, "dr-general").set(record)
    result = "stored"
except Exception as error:
    result = str(error)
`);
    expect(conflict).toContain('ETAG_MISMATCH');
  });

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
  it('knows who it is, and its subscriptions', async () => {
    const who = await v4.cli('who');
    expect(who).toMatchObject({ exit: 0, out: expect.stringContaining('sensor.task') });
    for (const action of ['unsub', 'sub', 'sub'])
      expect(await v4.cli('extension', action, '--name', EXT)).toMatchObject({ exit: 0, err: '' });
    expect(await v4.json('extension', 'list')).toHaveProperty(EXT);
  });

  it('lists sensors to the end, shows one, tags and isolates it', async () => {
    const [sids, info, online, tags, byTag, all, left, sent, refused] = await v4.sdk<unknown[]>(`
sensor = man.sensor("${linux}")
sensor.tag("x y", ttl=600)
tags = list(sensor.getTags())
byTag = [found.sid for found in man.sensorsWithTag("x y")]
all = list(man.getAllTags())
sensor.untag("x y")
sensor.isolateNetwork()
sensor.rejoinNetwork()
try:
    refused = man.sensor("${offline}").task("os_version")
except Exception as error:
    refused = str(error)
result = [
    sorted(sensor.sid for sensor in man.sensors()), sensor.getInfo(), list(man.getAllOnlineSensors()),
    tags, byTag, all, list(sensor.getTags()), sensor.task("os_version", inv_id="inv-4"), refused]
`);
    expect(sids).toEqual([windows, linux, offline].toSorted());
    expect(info).toMatchObject({ hostname: `host-${linux}`, plat: expect.anything() });
    expect(JSON.stringify(online)).toContain(linux);
    expect(JSON.stringify(online)).not.toContain(offline);
    expect([tags, byTag, left]).toEqual([['x y'], [linux], []]);
    expect(all).toContain('x y');
    expect(sent).toEqual({});
    expect(refused).toContain(EXT);
  });

  it('converts the rules of before, dry and for real', async () => {
    const convert = ['extension', 'convert_rules', '--name', EXT];
    const nothing = await v4.cli('extension', 'convert_rules', '--name', 'ext-other');
    expect(nothing).toMatchObject({ exit: 0, out: expect.stringContaining('is not subscribed to ext-other') });
    const stored = await v4.cli('hive', 'set', 'dr-general', '-k', 'old rule', '-d', fileOf(OLD_RULE));
    expect(stored).toMatchObject({ exit: 0 });
    const dry = await v4.cli(...convert);
    expect(dry).toMatchObject({ exit: 0, out: expect.stringContaining("Dry run of change on rule 'old rule':") });
    expect(dry.out).toContain('flag --no-dry-run to apply these changes');
    const real = await v4.cli(...convert, '--no-dry-run');
    expect(real).toMatchObject({ exit: 0, out: expect.stringContaining('rule old rule converted') });
    const rule = await v4.json('hive', 'get', 'dr-general', '-k', 'old rule');
    expect(JSON.stringify(rule)).toContain('extension request');
    expect(await v4.cli(...convert)).toMatchObject({
      exit: 0,
      out: expect.stringContaining(`no ${EXT} rules require updating`),
    });
    expect(await v4.cli('hive', 'remove', 'dr-general', '-k', 'old rule')).toMatchObject({ exit: 0 });
  });

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

describe('a key that has used up its requests', () => {
  let limited: Server;
  beforeAll(async () => {
    limited = await startServer(readConfig({ ...env(), RATE_LIMIT_PER_MINUTE: '1' }), ['api'], log);
  });
  afterAll(() => limited?.stop());

  it('is reported by both clients', async () => {
    const credentials = { url: limited.url, oid, secret };
    const program = 'result = man.whoAmI()';
    await v4.as(credentials).cli('who');
    const v5s = await v5.as(credentials).cli('auth', 'whoami');
    expect(v5s).toMatchObject({ exit: 5, err: expect.stringContaining('rate_limited') });
    await expect(v4.as(credentials).sdk(program)).rejects.toThrow('Api failure (429)');
  });
});
