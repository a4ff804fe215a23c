/** Redis and Kafka become unavailable and come back: the API reports it at once, and the system recovers by itself. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { ensureTopics, lookAtCluster } from '../../src/edges/kafka/admin.ts';
import { createKafka } from '../../src/edges/kafka/kafkajs/client.ts';
import { JOINER_GROUP } from '../../src/joiner/joiner.ts';
import { EXTENSION } from '../../src/orgs/table.ts';
import { PROJECTOR_GROUP } from '../../src/projector/projector.ts';
import { INSPECTOR_GROUP } from '../../src/projector/shared-topics.ts';
import { OUTPUTS_GROUP } from '../../src/responder/outputs/deliver.ts';
import { RESPONDER_GROUP } from '../../src/responder/responder.ts';
import { RESPONSES_GROUP } from '../../src/responder/responses/collector.ts';
import { startLocalKafka } from '../../src/stack/local/kafka.ts';
import { startLocalRedis } from '../../src/stack/local/redis.ts';
import type { LocalServer } from '../../src/stack/local/server.ts';
import { freePort } from '../../src/stack/ports.ts';
import { run } from '../cli/fixtures.ts';
import { kafkaRuns, redisRuns } from './support/local.ts';
import { System } from './support/system.ts';

const GROUPS = [PROJECTOR_GROUP, INSPECTOR_GROUP, JOINER_GROUP, RESPONDER_GROUP, OUTPUTS_GROUP, RESPONSES_GROUP];
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const patient = { timeout: 45_000, interval: 50 };
const root = mkdtempSync(join(tmpdir(), 'rt-outage-'));
const folders = { kafka: join(root, 'kafka'), redis: join(root, 'redis') };
/** How long Redis is paused: first while presence goes on, then without. Together longer than every time limit and a session. */
const LOADED_MS = 6_000;
const FROZEN_MS = 6_000;
let kafka: LocalServer;
let redis: LocalServer;
let system: System;
let jwt = '';
/** A task with one response. */
let answered = '';

async function ask(
  action: string,
  data: object,
): Promise<{ status: number; retryAfter: number; ms: number; data: Record<string, unknown> }> {
  const started = performance.now();
  const answer = await fetch(`${system.url}/v1/extension/request/${EXTENSION}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${jwt}` },
    body: new URLSearchParams({ oid: system.oid, action, data: JSON.stringify(data) }),
  });
  const body = (await answer.json()) as { data: Record<string, unknown> };
  return {
    status: answer.status,
    retryAfter: Number(answer.headers.get('retry-after')),
    ms: performance.now() - started,
    data: body.data,
  };
}

/** What the sensors of a task answered, with the status of the answer. */
async function results(taskId: string): Promise<{ status: number; ms: number; bodies: string[] }> {
  const started = performance.now();
  const answer = await fetch(`${system.url}/v1/orgs/${system.oid}/tasks/${taskId}/results`, {
    headers: { authorization: `Bearer ${jwt}` },
  });
  const { sensors = [] } = (await answer.json()) as { sensors?: { responses: { body: string }[] }[] };
  const bodies = sensors.flatMap(({ responses }) => responses.map(({ body }) => body));
  return { status: answer.status, ms: performance.now() - started, bodies };
}

type Used = { cpu: number; bytes: number; atMs: number };
/** Seconds of the processor, and resident bytes, of a role. */
function usedBy(name: string): Used {
  const folder = `/proc/${system.roles.get(name)?.pid}`;
  const fields = readFileSync(`${folder}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  const pages = Number(readFileSync(`${folder}/statm`, 'utf8').split(' ')[1]);
  return { cpu: (Number(fields[11]) + Number(fields[12])) / 100, bytes: pages * 4_096, atMs: performance.now() };
}

const allReady = () =>
  vi.waitFor(async () => {
    for (const name of system.roles.keys()) expect(await system.ready(name), name).toBe(true);
  }, patient);

describe.runIf(kafkaRuns && redisRuns)('an outage', () => {
  beforeAll(async () => {
    [kafka, redis] = await Promise.all([
      startLocalKafka({ dir: folders.kafka }),
      startLocalRedis({ dir: folders.redis, persist: false }),
    ]);
    system = new System({
      KAFKA_BROKERS: `127.0.0.1:${kafka.port}`,
      REDIS_URL: `redis://127.0.0.1:${redis.port}`,
      REDELIVERY_FIRST_MS: '1000',
      KAFKA_SESSION_MS: '6000',
    });
    await system.start(['api', 'projector', 'joiner', 'responder']);
    const token = await fetch(system.url, {
      method: 'POST',
      body: new URLSearchParams({ oid: system.oid, secret: system.apiKey }),
    });
    jwt = ((await token.json()) as { jwt: string }).jwt;
  });

  afterAll(async () => {
    await system?.stop();
    await Promise.all([kafka?.stop(), redis?.stop()]);
    rmSync(root, { recursive: true, force: true });
  });

  it('of Redis, which comes back empty, ends with everything where it was', async () => {
    const sid = randomUUID();
    await system.presence({ sid });
    const { data } = await ask('task', { task: 'os_version', sid });
    const taskId = String(data.task_id);
    await vi.waitFor(() => expect(system.sent(taskId)).not.toEqual([]), patient);
    answered = taskId;
    await system.answer({ sid, investigation_id: taskId, event_type: 'OS_VERSION_REP' });
    await vi.waitFor(async () => expect((await results(taskId)).bodies).toEqual(['kept']), patient);
    redis.kill('SIGKILL');
    await redis.exited;
    const refused = await ask('list', {});
    expect(refused).toMatchObject({ status: 503 });
    expect(refused.retryAfter).toBeGreaterThan(0);
    expect(refused.ms).toBeLessThan(1_000);
    const during = randomUUID();
    await system.command({ task_id: during, selector: `sid == "${sid}"` });
    redis = await startLocalRedis({ dir: folders.redis, port: redis.port, persist: false });
    await allReady();
    const list = await vi.waitFor(async () => {
      const answer = await ask('list', {});
      expect(answer.status).toBe(200);
      return answer;
    }, patient);
    expect((list.data.tasks as { task_id: string }[]).map((task) => task.task_id).sort()).toEqual(
      [taskId, during].sort(),
    );
    await vi.waitFor(() => expect(system.sent(during, sid)).not.toEqual([]), patient);
    await vi.waitFor(async () => expect((await results(taskId)).bodies).toEqual(['kept']), patient);
    for (const id of [taskId, during]) await system.answer({ sid, task_id: id });
    await vi.waitFor(
      () => expect([taskId, during].map((id) => system.eventsOf(id, 'TASK_DONE').length)).toEqual([1, 1]),
      patient,
    );
  }, 120_000);

  it('of Redis, which stops answering, is reported at once and costs neither memory nor CPU time; then nothing is missing', async () => {
    const sids = Array.from({ length: 300 }, () => randomUUID());
    const { data } = await ask('task', { task: 'os_version', selector: 'sid != "x"', ttl: 600 });
    let stop = false;
    await redis.kill('SIGSTOP');
    const before = [...system.roles.keys()].map(usedBy);
    const load = (async () => {
      for (let i = 0; !stop; i += 1) await system.presence({ sid: sids[i % sids.length] as string });
      return true;
    })();
    try {
      await vi.waitFor(async () => {
        const answer = await fetch(`${system.roles.get('joiner')?.url}/readyz`);
        expect(answer.status).toBe(503);
        expect(((await answer.json()) as { redis: { detail: string } }).redis.detail).toContain('has not answered');
      }, patient);
      await vi.waitFor(async () => {
        const refused = await ask('list', {});
        expect(refused.status).toBe(503);
        expect(refused.ms).toBeLessThan(1_000);
      }, patient);
      await new Promise((resolve) => setTimeout(resolve, LOADED_MS));
      stop = true;
      await load;
      const loaded = [...system.roles.keys()].map(usedBy);
      await new Promise((resolve) => setTimeout(resolve, FROZEN_MS));
      for (const [i, name] of [...system.roles.keys()].entries()) {
        const [first, was, is] = [before[i] as Used, loaded[i] as Used, usedBy(name)];
        const share = (is.cpu - was.cpu) / ((is.atMs - was.atMs) / 1_000);
        const figures = { name, share, grownBytes: is.bytes - first.bytes };
        expect(share, JSON.stringify(figures)).toBeLessThan(0.1);
        expect(figures.grownBytes, JSON.stringify(figures)).toBeLessThan(250_000_000);
      }
    } finally {
      stop = true;
      await load;
      await redis.kill('SIGCONT');
    }
    await allReady();
    await vi.waitFor(() => {
      const sent = new Set(system.sent(String(data.task_id)).map(({ sid }) => sid));
      expect(sids.filter((sid) => !sent.has(sid))).toEqual([]);
    }, patient);
  }, 120_000);

  it('of Kafka is reported at once, and a retry with the same key is the same task', async () => {
    kafka.kill('SIGKILL');
    await kafka.exited;
    const refused = await ask('task', { task: 'netstat', selector: 'plat == linux', idempotency_key: 'again' });
    expect(refused).toMatchObject({ status: 503 });
    expect(refused.retryAfter).toBeGreaterThan(0);
    expect(refused.ms).toBeLessThan(3_500);
    await vi.waitFor(async () => {
      const answer = await fetch(`${system.url}/readyz`);
      expect(answer.status).toBe(503);
      expect(((await answer.json()) as { kafka: { detail: string } }).kafka.detail).toContain('has not answered');
    }, patient);
    const known = await ask('task', { task: 'netstat', selector: 'plat == linux', idempotency_key: 'again' });
    expect(known).toMatchObject({ status: 503 });
    expect(known.retryAfter).toBeGreaterThan(0);
    expect(known.ms).toBeLessThan(500);
    const unread = await results(answered);
    expect([unread.status, unread.bodies]).toEqual([503, []]);
    expect(unread.ms).toBeLessThan(6_000);
    kafka = await startLocalKafka({ dir: folders.kafka, port: kafka.port });
    const first = await vi.waitFor(async () => {
      const answer = await ask('task', { task: 'netstat', selector: 'plat == linux', idempotency_key: 'again' });
      expect(answer.status).toBe(200);
      return answer;
    }, patient);
    await allReady();
    await vi.waitFor(async () => expect((await results(answered)).bodies).toEqual(['kept', 'kept']), patient);
    const second = await ask('task', { task: 'netstat', selector: 'plat == linux', idempotency_key: 'again' });
    expect(second.data.task_id).toBe(first.data.task_id);
    const sid = randomUUID();
    await vi.waitFor(() => system.presence({ sid }), patient);
    const taskId = randomUUID();
    await system.command({ task_id: taskId, selector: `sid == "${sid}"` });
    await vi.waitFor(() => expect(system.sent(taskId)).not.toEqual([]), patient);
  }, 120_000);
});

describe.runIf(kafkaRuns && redisRuns)('a start before Kafka and Redis', () => {
  const lateRoot = mkdtempSync(join(tmpdir(), 'rt-late-'));
  const servers: LocalServer[] = [];
  const processes: ChildProcess[] = [];
  const serve = (env: Record<string, string>, roles = 'projector,joiner,api') => {
    const child = spawn(process.execPath, [MAIN, 'serve', '--roles', roles], {
      env: {
        ...process.env,
        BOOTSTRAP_OID: randomUUID(),
        BOOTSTRAP_API_KEY: randomUUID(),
        JWT_SECRET: randomUUID(),
        ...env,
      },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    processes.push(child);
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    return { child, ended: once(child, 'exit'), said: () => said };
  };
  type Report = { ready: boolean; redis: { ready: boolean }; kafka?: { ready: boolean }; roles: object };
  const reportAt = async (port: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    return { status: answer.status, report: (await answer.json()) as Report };
  };
  const away = async () => {
    const [kafkaPort, redisPort, httpPort] = [await freePort(), await freePort(), await freePort()];
    const env = {
      KAFKA_BROKERS: `127.0.0.1:${kafkaPort}`,
      REDIS_URL: `redis://127.0.0.1:${redisPort}`,
      HTTP_PORT: String(httpPort),
    };
    return { kafkaPort, redisPort, env };
  };

  afterAll(async () => {
    for (const child of processes) child.kill('SIGKILL');
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(lateRoot, { recursive: true, force: true });
  });

  it('is alive, says which of them it waits for, and starts by itself when they come up', async () => {
    const { kafkaPort, redisPort, env } = await away();
    const { child, said } = serve(env);
    const at = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${env.HTTP_PORT}${path}`, init);
    await vi.waitFor(async () => expect((await at('/healthz')).status).toBe(200), patient);
    await vi.waitFor(() => expect(said()).toMatch(/waiting for Kafka \(.*\) and Redis \(.*\)/), patient);
    expect(await reportAt(env.HTTP_PORT)).toMatchObject({
      status: 503,
      report: { ready: false, redis: { ready: false }, kafka: { ready: false }, roles: { joiner: { ready: false } } },
    });
    expect((await at('/jwt', { method: 'POST' })).status).toBe(503);
    servers.push(await startLocalRedis({ dir: join(lateRoot, 'redis'), port: redisPort, persist: false }));
    await vi.waitFor(
      async () =>
        expect((await reportAt(env.HTTP_PORT)).report).toMatchObject({
          redis: { ready: true },
          kafka: { ready: false },
        }),
      patient,
    );
    servers.push(await startLocalKafka({ dir: join(lateRoot, 'kafka'), port: kafkaPort }));
    await vi.waitFor(async () => expect((await reportAt(env.HTTP_PORT)).status).toBe(200), patient);
    expect(child.exitCode).toBeNull();
  }, 120_000);

  it('ends with 0 as soon as SIGTERM asks for it', async () => {
    const { env } = await away();
    const { child, ended, said } = serve(env);
    await vi.waitFor(() => expect(said()).toContain('waiting for'), patient);
    const started = performance.now();
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(performance.now() - started).toBeLessThan(3_000);
  }, 60_000);

  it.each([1, 4])(
    'that gets SIGTERM when it has joined %i of its groups leaves no member',
    async (joins) => {
      const prefix = `it-${randomUUID()}-`;
      const config = readConfig({ ...process.env, KAFKA_TOPIC_PREFIX: prefix });
      const log = pino({ level: 'silent' });
      await ensureTopics(createKafka(config, log), config, log);
      const { child, ended, said } = serve(
        { KAFKA_TOPIC_PREFIX: prefix, HTTP_PORT: '0' },
        'projector,joiner,responder',
      );
      const joined = () => said().split('joined the group').length - 1;
      await vi.waitFor(() => expect(joined()).toBeGreaterThanOrEqual(joins), { ...patient, interval: 1 });
      child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
      expect(said()).not.toContain('"listening on');
      const { members } = await lookAtCluster(
        createKafka(config, log),
        GROUPS.map((group) => prefix + group),
      );
      expect([...members.values()]).toEqual(GROUPS.map(() => 0));
    },
    60_000,
  );

  it('is for a server: a command says what does not answer, with exit code 6 and a hint', async () => {
    const { env } = await away();
    expect(await run(['verify'], { env })).toMatchObject({
      exitCode: 6,
      err: expect.stringContaining('Check KAFKA_BROKERS'),
    });
    const half = { ...env, KAFKA_BROKERS: process.env.KAFKA_BROKERS as string };
    expect(await run(['verify'], { env: half })).toMatchObject({
      exitCode: 6,
      err: expect.stringContaining('REDIS_URL'),
    });
  }, 60_000);
});
