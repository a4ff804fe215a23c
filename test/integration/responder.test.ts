/** A task with a context, its receipt, and the rules that act on it: over real Kafka and Redis, from the hive to the topics. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Client } from '../../src/cli/api/client.ts';
import { deleteRecord, getRecord, setRecord } from '../../src/cli/api/hives.ts';
import { createKafka } from '../../src/edges/kafka/kafkajs/client.ts';
import { partitionOf } from '../../src/edges/kafka/kafkajs/partitioner.ts';
import { startTail, type Tail } from '../../src/edges/kafka/tail.ts';
import { connectRedis } from '../../src/edges/redis/client.ts';
import { createRuleMemory } from '../../src/edges/redis/rule-memory.ts';
import type { Detection, OutputRecord } from '../../src/model/records.ts';
import { parseRuleText } from '../../src/rules/rule-text.ts';
import { run } from '../cli/fixtures.ts';
import { System, soon } from './support/system.ts';

const outputFolder = mkdtempSync(join(tmpdir(), 'rt-outputs-'));
const system = new System({ OUTPUT_DIR: outputFolder, OUTPUT_ALLOW_PRIVATE: 'true' });
const detections: Detection[] = [];
const outputs: OutputRecord[] = [];
const tails: Tail[] = [];

const put = (name: string, yaml: string) =>
  setRecord(system.client, 'dr-general', name, {
    data: JSON.stringify(parseRuleText(yaml)),
    usr_mtd: JSON.stringify({ enabled: true }),
  });

beforeAll(async () => {
  await system.start(['api', 'projector', 'joiner', 'responder']);
  const kafka = createKafka(system.config, system.log);
  const follow = async (topic: string, onValue: (value: Buffer) => void) =>
    tails.push(
      await startTail({
        kafka,
        topic,
        from: 'beginning' as const,
        log: system.log,
        maxWaitMs: 20,
        onRecords: (records) => {
          for (const { value } of records) if (value) onValue(value);
        },
      }),
    );
  await follow(system.topics.detections, (value) => detections.push(system.codec.decode('Detection', value)));
  await follow(system.topics.outputs, (value) => outputs.push(system.codec.decode('OutputRecord', value)));
}, 120_000);

afterAll(async () => {
  await Promise.all(tails.map((tail) => tail.stop()));
  await system.stop();
});

const sensor = {
  iid: '',
  did: '',
  hostname: 'ws-01',
  ext_ip: '',
  int_ip: '',
  mac_addr: '',
  plat: 0x10000000,
  ext_plat: 0,
  arch: 2,
  enroll: null,
  isolated: false,
  should_isolate: false,
  kernel: false,
  tags: ['production'],
};

/** Queues a task for the sensor, waits for its dispatch and answers as the sensor would. */
async function runTask(sid: string, context: string, event: object): Promise<string> {
  const { task_id } = await system.client.request<{ task_id: string }>('task', {
    task: 'os_version',
    sid,
    context,
    ttl: 600,
  });
  await vi.waitFor(() => expect(system.sent(task_id, sid)).toHaveLength(1), soon);
  const { investigation_id } = system.sent(task_id, sid)[0] as { investigation_id: string };
  await system.answer({ sid, investigation_id }, event);
  return investigation_id;
}

describe('rules on what sensors answer', () => {
  it('the public example: a receipt with the context goes to the output and is reported', async () => {
    await put(
      'answers',
      `
detect:
  op: contains
  event: RECEIPT
  path: routing/investigation_id
  value: version
respond:
- action: output
  name: tasks-output
- action: report
  name: "Reliable task ran"
`,
    );
    const sid = randomUUID();
    await system.presence({ sid, sensor });
    const investigation = await runTask(sid, 'version', { ERROR: 0, STDOUT: 'corp' });
    await vi.waitFor(() => expect([outputs.length, detections.length]).toEqual([1, 1]), soon);
    expect(outputs[0]).toMatchObject({ oid: system.oid, output: 'tasks-output' });
    expect(JSON.parse(outputs[0]?.body ?? '')).toMatchObject({
      routing: {
        sid,
        event_type: 'RECEIPT',
        investigation_id: investigation,
        hostname: 'ws-01',
        plat: 0x10000000,
        tags: ['production'],
      },
      event: { ERROR: 0, STDOUT: 'corp' },
    });
    expect(detections[0]).toMatchObject({ oid: system.oid, sid, cat: 'Reliable task ran', source: 'dr-general' });
    await deleteRecord(system.client, 'dr-general', 'answers');
  });

  it('tags a sensor that connects, asks the extension for a task, and reports its activity, each once', async () => {
    await put(
      'greet',
      `
detect: {event: CONNECTED, op: is windows}
respond:
- {action: add tag, tag: greeted}
- action: extension request
  extension name: ext-reliable-tasking
  extension action: task
  extension request: {task: '{{ "os_packages" }}', sid: '{{ .routing.sid }}', context: 'greet-{{ .routing.hostname }}', ttl: 600}
  suppression: {max_count: 1, period: 1h}
- {action: report, name: '{{ .detect.routing.nothing'}
`,
    );
    await put(
      'failures',
      `
detect: {event: task_failure, op: is, path: routing/hostname, value: ext-reliable-tasking}
respond:
- {action: report, name: 'failed on {{ .detect.event.sid }}', priority: 3}
`,
    );
    await put(
      'greeted',
      `
detect: {event: RECEIPT, op: is tagged, tag: greeted}
respond:
- {action: output, name: greeted}
`,
    );
    const sid = randomUUID();
    const connection_id = randomUUID();
    for (let copy = 0; copy < 2; copy += 1) await system.presence({ sid, sensor, connection_id });
    await system.presence({ sid, sensor });
    const mine = () => system.seen.dispatches.filter(({ dispatch }) => dispatch.sid === sid);
    await vi.waitFor(() => expect(mine().length).toBeGreaterThan(0), soon);
    const { investigation_id, task } = mine()[0]?.dispatch ?? { investigation_id: '', task: '' };
    expect([task, investigation_id.split('/')[0]]).toEqual(['os_packages', 'greet-ws-01']);
    // The tag takes another way than the task: an answer before it would come from a sensor without it.
    const selector = `sid == "${sid}" and "greeted" in tags`;
    await vi.waitFor(
      async () => expect(await system.client.request('preview', { selector })).toMatchObject({ total_sensors: 1 }),
      soon,
    );
    await system.answer({ sid, investigation_id }, { ERROR: 5 });
    await vi.waitFor(() => expect(detections.filter(({ cat }) => cat === `failed on ${sid}`)).toHaveLength(1), soon);
    await vi.waitFor(() => expect(outputs.filter(({ output }) => output === 'greeted')).toHaveLength(1), soon);
    expect(new Set(mine().map(({ dispatch }) => dispatch.task_id)).size).toBe(1);
    await vi.waitFor(
      async () =>
        expect((await getRecord(system.client, 'dr-general', 'greet')).sys_mtd.last_error).toContain('respond/2/name'),
      soon,
    );
  });
});

it('counts of suppression: repeats count once, a period ends, orgs count apart', async () => {
  const redis = await connectRedis(system.config, system.log);
  const memory = createRuleMemory(redis);
  const one = (id: string, rest: object = {}) => ({
    oid: system.oid,
    key: 'k',
    id,
    by: 1,
    periodMs: 400,
    maxCount: 2,
    ...rest,
  });
  try {
    expect(await memory.count([one('a'), one('b'), one('a'), one('c'), one('d', { oid: randomUUID() })])).toEqual([
      0, 1, 0, 2, 0,
    ]);
    await vi.waitFor(async () => expect(await memory.count([one(randomUUID())])).toEqual([0]), soon);
  } finally {
    await redis.stop();
  }
});

it('sends outputs on to a webhook, again when it fails, and to a file of the org', async () => {
  const posted: { status: number; body: unknown; secret: unknown }[] = [];
  const hook = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    response.statusCode = posted.length === 0 ? 500 : 200;
    posted.push({
      status: response.statusCode,
      body: JSON.parse(Buffer.concat(chunks).toString()),
      secret: request.headers['x-secret'],
    });
    response.end();
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  try {
    const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/hook`;
    const path = (name: string) => `/v1/orgs/{oid}/outputs/${name}`;
    await system.client.call('POST', path('hook'), { type: 'webhook', url, headers: '{"x-secret":"s"}' });
    await system.client.call('POST', path('file'), { type: 'file', path: 'sub/answers.jsonl' });
    await put(
      'send',
      'detect: {event: PING_REP, op: exists, path: event}\nrespond: [{action: output, name: hook}, {action: output, name: file}]',
    );
    await system.answer({ sid: 'pinger', event_type: 'PING_REP' }, { N: 7 });
    await vi.waitFor(() => expect(posted.map(({ status }) => status)).toEqual([500, 200]), soon);
    expect(posted[1]).toMatchObject({ secret: 's', body: { event: { N: 7 }, routing: { sid: 'pinger' } } });
    const file = join(outputFolder, system.oid, 'sub', 'answers.jsonl');
    await vi.waitFor(() => expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ event: { N: 7 } }), soon);
    const listed = await system.client.call<{ detections: Detection[] }>(
      'GET',
      '/v1/orgs/{oid}/detections?cat=Reliable task ran',
    );
    expect(listed.detections).toHaveLength(1);
  } finally {
    hook.closeAllConnections();
    await new Promise((resolve) => hook.close(resolve));
  }
});

it('an output that does not answer delays no other of its partition, and one that refuses leaves a dead letter and its reason', async () => {
  const got: string[] = [];
  const hook = createServer(async (request, response) => {
    request.resume();
    got.push(request.url ?? '');
    if (request.url === '/silent') return;
    response.writeHead(request.url === '/refuses' ? 400 : 200).end();
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  const partitions = system.config.TOPIC_PARTITIONS;
  const partition = (name: string) => partitionOf(`${system.oid}/${name}`, partitions);
  const alike = (base: string) =>
    Array.from({ length: 100 }, (_, n) => `${base}-${n}`).find((name) => partition(name) === 0) as string;
  const names = { silent: alike('silent'), refuses: alike('refuses'), works: alike('works') };
  try {
    for (const [kind, name] of Object.entries(names))
      await system.client.call('POST', `/v1/orgs/{oid}/outputs/${name}`, {
        type: 'webhook',
        url: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/${kind}`,
      });
    const actions = Object.values(names).map((name) => `{action: output, name: ${name}}`);
    await put('fan', `detect: {event: FAN_REP, op: exists, path: event}\nrespond: [${actions.join(', ')}]`);
    for (let n = 0; n < 3; n += 1) await system.answer({ sid: 'fan', event_type: 'FAN_REP' }, { N: n });
    // An attempt ends after 5 seconds: the one that does not answer has not failed yet.
    await vi.waitFor(() => expect(got.filter((url) => url === '/works')).toHaveLength(3), {
      timeout: 4_000,
      interval: 25,
    });
    const deadLetters = () =>
      system.seen.deadLetters.filter(({ headers }) => String(headers['rt-error-code']) === 'output_undelivered');
    await vi.waitFor(() => expect(deadLetters()).toHaveLength(3), soon);
    expect(String(deadLetters()[0]?.headers['rt-error'])).toBe('The webhook answered 400.');
    const listed = async () =>
      (
        await run(['outputs', 'list', '--url', system.url, '--oid', system.oid], {
          env: { RT_API_KEY: system.apiKey },
          nowMs: Date.now,
          fetch,
        })
      ).out;
    await vi.waitFor(
      async () => expect(await listed()).toMatch(new RegExp(`${names.refuses} .* 3 .*The webhook answered 400\\.`)),
      soon,
    );
    for (const name of Object.values(names)) await system.client.call('DELETE', `/v1/orgs/{oid}/outputs/${name}`);
  } finally {
    hook.closeAllConnections();
    await new Promise((resolve) => hook.close(resolve));
  }
});

it('a report that is larger than a record goes without the event; a tag for the entire device reaches its other sensors', async () => {
  const json = '{{ json .detect.event.BIG }}';
  await put(
    'large',
    `
detect: {event: BIG_REP, op: exists, path: event/BIG}
respond:
- {action: report, name: large, metadata: {a: '${json}', b: '${json}', c: '${json}'}}
- {action: add tag, tag: seen-large, entire_device: true}
`,
  );
  const did = randomUUID();
  const [one, two] = [randomUUID(), randomUUID()];
  for (const sid of [one, two]) await system.presence({ sid, sensor: { ...sensor, did } });
  await vi.waitFor(async () => expect(await tagsOf(two)).toContain('production'), soon);
  await system.answer({ sid: one, event_type: 'BIG_REP' }, { BIG: 'x'.repeat(1_040_000) });
  await vi.waitFor(() => expect(detections.some(({ cat }) => cat === 'large')).toBe(true), soon);
  const body = JSON.parse(detections.find(({ cat }) => cat === 'large')?.body ?? '');
  expect(body).toMatchObject({ too_large: true, detect: null, routing: { sid: one, did } });
  for (const sid of [one, two]) await vi.waitFor(async () => expect(await tagsOf(sid)).toContain('seen-large'), soon);
});

const tagsOf = async (sid: string): Promise<string[]> =>
  Object.keys(
    (await system.client.call<{ tags: Record<string, Record<string, object>> }>('GET', `/v1/${sid}/tags`)).tags[sid] ??
      {},
  );

it('a rule is tried on the last hour', async () => {
  const rule = join(outputFolder, 'rule.yaml');
  writeFileSync(rule, 'op: starts with\nevent: RECEIPT\npath: routing/investigation_id\nvalue: version/\n');
  const env = { ...system.env, RT_OID: system.oid };
  const { out, exitCode } = await run(['rules', 'test', '--file', rule, '--replay', '1h', '--json'], {
    env,
    nowMs: Date.now,
  });
  expect(exitCode).toBe(0);
  expect(out.trim().split('\n')).toHaveLength(1);
  expect(JSON.parse(out)).toMatchObject({ routing: { event_type: 'RECEIPT' }, event: { STDOUT: 'corp' } });
});

it('an org that was deleted leaves nothing to one that is made again with its id', async () => {
  const org = randomUUID();
  const rt = async (...words: string[]) => {
    const { out, err, exitCode } = await run([...words, '--json'], { env: system.env, nowMs: Date.now });
    expect([exitCode, err]).toEqual([0, expect.anything()]);
    return JSON.parse(out) as Record<string, unknown>;
  };
  const made = async () => {
    await rt('orgs', 'create', '--oid', org);
    const { key } = (await rt('keys', 'create', '--oid', org)) as { key: string };
    const stopped = new AbortController().signal;
    return new Client({ url: system.url, oid: org, apiKey: key, fetch, stopped });
  };
  const states = new Map<string, Buffer | null>();
  tails.push(
    await startTail({
      kafka: createKafka(system.config, system.log),
      topic: system.topics.sensorState,
      log: system.log,
      from: 'beginning',
      onRecords: (records) => {
        for (const { key, value } of records) states.set(String(key), value);
      },
    }),
  );
  const held = async (client: Client) => ({
    tasks: (await client.request<{ tasks: unknown[] }>('list', {})).tasks.length,
    sensors: (await client.call<{ sensors: unknown[] }>('GET', '/v1/sensors/{oid}')).sensors.length,
    detections: (await client.call<{ detections: unknown[] }>('GET', '/v1/orgs/{oid}/detections')).detections.length,
  });
  const before = await made();
  await vi.waitFor(() => before.request('task', { task: 'os_version', selector: '*', ttl: 600 }), soon);
  const data = JSON.stringify({
    detect: { event: 'CONNECTED', op: 'exists', path: 'event' },
    respond: [{ action: 'report', name: 'here' }],
  });
  await setRecord(before, 'dr-general', 'here', { data, usr_mtd: JSON.stringify({ enabled: true }) });
  await vi.waitFor(async () => {
    await system.presence({ oid: org, sid: 'left', connection_id: randomUUID(), sensor });
    expect(await held(before)).toMatchObject({ tasks: 1, sensors: 1, detections: expect.toSatisfy((n) => n > 0) });
  }, soon);
  expect(await rt('orgs', 'delete', org, '--yes')).toMatchObject({ oid: org, sensors: 1, redis: true });
  const kept = (await system.redis.keys(`{${org}}:*`)).filter((name) => !name.startsWith(`{${org}}:s:`));
  expect(kept).toEqual([]);
  await vi.waitFor(() => expect(states.get(`${org}/left`)).toBe(null), soon);
  const again = await made();
  await vi.waitFor(async () => expect(await held(again)).toMatchObject({ detections: 0 }), soon);
});
