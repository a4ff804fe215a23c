/** Orgs, keys and settings on real Kafka and Redis, as several processes see them. */
import { randomUUID } from 'node:crypto';
import { get } from 'node:http';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/async/clock.ts';
import { readConfig } from '../../src/config.ts';
import { createCodec } from '../../src/edges/avro/codec.ts';
import { ensureTopics } from '../../src/edges/kafka/admin.ts';
import { createKafka } from '../../src/edges/kafka/kafkajs/client.ts';
import { followOrgs } from '../../src/edges/kafka/orgs.ts';
import { createProducer } from '../../src/edges/kafka/producer.ts';
import { connectRedis } from '../../src/edges/redis/client.ts';
import { keys } from '../../src/edges/redis/layout.ts';
import { createSettingClaims } from '../../src/edges/redis/setting-claims.ts';
import { RECORD_NAMES, type RecordName } from '../../src/model/records.ts';
import { NAME_MAX_BYTES, type Settings, VALUE_MAX_BYTES } from '../../src/orgs/settings.ts';
import { EXTENSION, hashOfKey } from '../../src/orgs/table.ts';
import { createSettings } from '../../src/orgs/write-setting.ts';
import { type Server, startServer } from '../../src/server.ts';
import { topicNames } from '../../src/topics.ts';
import { run } from '../cli/fixtures.ts';

const prefix = `orgs-${randomUUID()}-`;
const oid = randomUUID();
const other = randomUUID();
const secret = randomUUID();
const log = pino({ level: 'silent' });
const soon = { timeout: 10_000, interval: 20 };
const config = readConfig({
  ...process.env,
  KAFKA_TOPIC_PREFIX: prefix,
  TOPIC_PARTITIONS: '2',
  HTTP_PORT: '0',
  JWT_SECRET: 'a secret of the test, long enough',
  RATE_LIMIT_PER_MINUTE: '40',
});
const stops: (() => Promise<void>)[] = [];

/** The store of settings as a process has it, with connections of its own. */
async function openStore(): Promise<Settings & { lose(name: string): Promise<void> }> {
  const kafka = createKafka(config, log);
  const topicOf = Object.fromEntries(RECORD_NAMES.map((name) => [name, name])) as Record<RecordName, string>;
  const codec = createCodec({ topicOf });
  const topic = topicNames(prefix).orgSettings;
  const [orgs, once, redis] = await Promise.all([
    followOrgs({ kafka, topic, codec, log }),
    createProducer(kafka, 'once'),
    connectRedis(config, log),
  ]);
  stops.push(async () => void (await Promise.all([orgs.stop(), once.stop(), redis.stop()])));
  const settings = createSettings({
    table: orgs.settings,
    claims: createSettingClaims(redis),
    append: (key, setting) => once.send(topic, [{ key, value: setting && codec.encode('OrgSetting', setting) }]),
    refresh: orgs.refresh,
    clock: systemClock,
  });
  return {
    ...settings,
    lose: async (name) => void (await redis.pipeline([{ oid, name: 'del', args: [keys.setting(oid, name)] }])),
  };
}

let stores: [Awaited<ReturnType<typeof openStore>>, Awaited<ReturnType<typeof openStore>>];
let servers: [Server, Server];

beforeAll(async () => {
  await ensureTopics(createKafka(config, log), config, log);
  stores = [await openStore(), await openStore()];
  servers = [await startServer(config, ['api'], log), await startServer(config, ['api'], log)];
  stops.push(...servers.map((server) => () => server.stop()));
  const by = { by: 'test' };
  for (const [org, name] of [
    [oid, 'first'],
    [other, 'second'],
  ] as const) {
    await stores[0].write({ ...by, oid: org, kind: 'ORG', name: org, value: { name } });
    await stores[0].write({ ...by, oid: org, kind: 'API_KEY', name: 'me', value: USER_KEY });
  }
}, 60_000);

afterAll(async () => {
  await Promise.all(stops.reverse().map((stop) => stop()));
});

const USER_KEY = { hash: hashOfKey(secret), uid: 'u-1', perms: ['ext.sub', 'ext.request', 'sensor.list'] };

describe('settings', () => {
  const record = (n: number) => ({ oid, kind: 'HIVE' as const, name: 'dr-general/rule 1/ü', value: { n }, by: 'test' });

  it('of several writers in two processes who saw the same etag exactly one wins, every time', async () => {
    const [one, two] = stores;
    let etag = '';
    for (let round = 0; round < 4; round += 1) {
      // As after a restart of Redis: who writes next has to read the log.
      if (round === 2) await one.lose('HIVE/dr-general/rule 1/ü');
      const tries = await Promise.allSettled(
        [0, 1, 2, 3, 4, 5].map((n) => (n % 2 ? one : two).write({ ...record(round * 10 + n), ifEtag: etag })),
      );
      const won = tries.flatMap((result, n) => (result.status === 'fulfilled' ? [{ n, etag: result.value }] : []));
      expect(won).toHaveLength(1);
      const codes = tries.map((result) => result.status === 'rejected' && result.reason.code);
      expect(codes.filter((code) => code === 'etag_mismatch')).toHaveLength(5);
      etag = won[0]!.etag;
      for (const store of [one, two])
        await vi.waitFor(
          () =>
            expect(store.get(oid, 'HIVE', record(0).name)).toMatchObject({
              etag,
              value: { n: round * 10 + won[0]!.n },
            }),
          soon,
        );
    }
    await expect(two.write({ ...record(0), value: null, ifEtag: 'old' })).rejects.toMatchObject({ data: { etag } });
    expect(await two.write({ ...record(0), value: null, ifEtag: etag })).toBe('');
    await vi.waitFor(() => expect(one.list(oid, 'HIVE')).toEqual([]), soon);
  });
});

/** A request to the first or the second process. */
async function ask(at: 0 | 1, method: string, path: string, jwt: string) {
  const answer = await fetch(servers[at].url + path, { method, headers: { authorization: `Bearer ${jwt}` } });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}
async function token(at: 0 | 1, fields: Record<string, string>): Promise<string> {
  const answer = await fetch(servers[at].url, { method: 'POST', body: new URLSearchParams(fields) });
  return ((await answer.json()) as { jwt: string }).jwt;
}
const user = { uid: 'u-1', secret };
const keyOf = (name: string, value: Record<string, unknown> | null) =>
  stores[1].write({ oid, kind: 'API_KEY', name, value, by: 'test' });

describe('two processes of the API', () => {
  it('know a user key alike, and an unknown org looks like one that the token does not name', async () => {
    await vi.waitFor(async () => {
      const { body } = await ask(1, 'GET', '/v1/who', await token(0, user));
      expect(body).toEqual({
        orgs: [oid, other].sort(),
        user_perms: { [oid]: USER_KEY.perms, [other]: USER_KEY.perms },
      });
    }, soon);
    const minimal = await token(1, { ...user, oid: '-' });
    expect((await ask(0, 'GET', '/v1/user/orgs', minimal)).body).toEqual({
      orgs: [
        { oid, name: 'first' },
        { oid: other, name: 'second' },
      ],
      total: 2,
    });
    const one = await token(0, { ...user, oid });
    const refused = await Promise.all(
      [other, randomUUID()].map((org) => ask(1, 'GET', `/v1/orgs/${org}/subscriptions`, one)),
    );
    expect(refused.map(({ status }) => status)).toEqual([403, 403]);
    expect(refused[0]?.body).toEqual(refused[1]?.body);
  });

  it('subscribe and unsubscribe an org for each other, and end its streams', async () => {
    const jwt = await token(0, { ...user, oid });
    const path = `/v1/orgs/${oid}/subscription/extension/${EXTENSION}`;
    expect((await ask(0, 'GET', `/v1/orgs/${oid}/events`, jwt)).body.error_code).toBe('not_subscribed');
    expect(await ask(0, 'POST', path, jwt)).toEqual({ status: 200, body: {} });
    await vi.waitFor(
      async () =>
        expect(Object.keys((await ask(1, 'GET', `/v1/orgs/${oid}/subscriptions`, jwt)).body)).toEqual([EXTENSION]),
      soon,
    );
    const headers = { authorization: `Bearer ${jwt}` };
    const stream = await fetch(`${servers[1].url}/v1/orgs/${oid}/events`, { headers });
    expect(stream.status).toBe(200);
    await ask(0, 'DELETE', path, jwt);
    await stream.text();
    await ask(1, 'POST', path, jwt);
    await vi.waitFor(() => {
      const periods = stores[0].get(oid, 'SUBSCRIPTION', EXTENSION)?.value.periods as { from: number; to?: number }[];
      expect(periods.map(({ to }) => to !== undefined)).toEqual([true, false]);
    }, soon);
  });

  it('hear within seconds of a key that was revoked, also in open streams', async () => {
    const perms = ['sensor.list'];
    const passing = randomUUID();
    await keyOf('passing', { hash: hashOfKey(passing), perms });
    let jwt = '';
    await vi.waitFor(async () => {
      jwt = await token(0, { oid, secret: passing });
      expect((await ask(1, 'GET', '/v1/who', jwt)).body).toEqual({ orgs: [oid], perms });
    }, soon);
    const headers = { authorization: `Bearer ${jwt}` };
    const stream = await fetch(`${servers[1].url}/v1/orgs/${oid}/events`, { headers });
    expect(stream.status).toBe(200);
    const startedMs = performance.now();
    await keyOf('passing', null);
    await stream.text();
    for (const at of [0, 1] as const)
      await vi.waitFor(async () => expect((await ask(at, 'GET', '/v1/who', jwt)).status).toBe(401), soon);
    expect(performance.now() - startedMs).toBeLessThan(3_000);
  });

  it('count the requests of a key together, and say in the known spelling when it has made too many', async () => {
    const busy = randomUUID();
    await keyOf('busy', { hash: hashOfKey(busy), perms: [] });
    let jwt = '';
    await vi.waitFor(async () => {
      jwt = await token(0, { oid, secret: busy });
      expect(jwt).toBeTruthy();
    }, soon);
    await vi.waitFor(async () => expect((await ask(1, 'GET', '/v1/who', jwt)).status).toBe(200), soon);
    let taken = 0;
    for (let n = 0; n < 60; n += 1) if ((await ask((n % 2) as 0 | 1, 'GET', '/v1/who', jwt)).status === 200) taken += 1;
    expect(taken).toBeLessThan(40);
    expect(taken).toBeGreaterThan(30);
    const raw = await new Promise<string[]>((resolve, reject) => {
      const headers = { authorization: `Bearer ${jwt}` };
      get(`${servers[1].url}/v1/who`, { headers }, (answer) => {
        answer.resume();
        resolve([String(answer.statusCode), ...answer.rawHeaders]);
      }).on('error', reject);
    });
    expect(raw[0]).toBe('429');
    expect(raw).toEqual(expect.arrayContaining(['X-RateLimit-Quota', '40', 'X-RateLimit-Period', '60']));
    expect(Number(raw[raw.findIndex((name) => /^retry-after$/i.test(name)) + 1])).toBeGreaterThan(0);
  });
});

it('the largest setting that is allowed, under the longest name, is one that a broker takes', async () => {
  const name = `lookup/${'n'.repeat(NAME_MAX_BYTES - 'lookup/'.length)}`;
  const value = { a: 'x'.repeat(VALUE_MAX_BYTES - '{"a":""}'.length) };
  await stores[0].write({ oid: other, kind: 'HIVE', name, value, by: 'test' });
  await stores[0].write({ oid: other, kind: 'HIVE', name, value: null, by: 'test' });
});

describe('an operator', () => {
  const rt = async (line: string) => {
    const { exitCode, out, err } = await run(line.split(' '), {
      env: { ...process.env, KAFKA_TOPIC_PREFIX: prefix, TOPIC_PARTITIONS: '2' },
      nowMs: Date.now,
    });
    return { exitCode, err, said: line.includes('csv') ? out : out ? JSON.parse(out) : null };
  };

  it('makes an org and a key, sees it used, revokes it and deletes the org', async () => {
    const { said: made } = await rt('orgs create --name branch --json');
    expect(made).toEqual({ oid: expect.any(String), name: 'branch', subscribed: true });
    const org = made.oid as string;
    expect((await rt(`orgs create --oid ${org}`)).exitCode).toBe(4);
    const create = `keys create --orgs ${org},${oid} --uid alice --name laptop --perms sensor.list --expires 1d --json`;
    const { said: created } = await rt(create);
    const { key } = created as { key: string };
    expect(created).toMatchObject({ name: 'laptop', orgs: [org, oid], uid: 'alice', perms: ['sensor.list'] });
    expect((await rt(create)).exitCode).toBe(4);
    let jwt = '';
    await vi.waitFor(async () => {
      jwt = await token(0, { uid: 'alice', secret: key, oid: org });
      expect((await ask(0, 'GET', `/v1/orgs/${org}/subscriptions`, jwt)).body).toHaveProperty(EXTENSION);
    }, soon);
    await vi.waitFor(async () => {
      const { said } = await rt(`keys list --oid ${org} --json`);
      expect(said.keys).toMatchObject([{ name: 'laptop', uid: 'alice', updated_by: 'operator' }]);
      expect(said.keys[0].last_used_at).toBeGreaterThan(Date.now() - 60_000);
      expect(JSON.stringify(said)).not.toContain(hashOfKey(key));
    }, soon);
    expect((await rt('keys revoke laptop --uid alice --json')).said.orgs.toSorted()).toEqual([org, oid].toSorted());
    await vi.waitFor(async () => expect((await ask(1, 'GET', '/v1/who', jwt)).status).toBe(401), soon);
    expect((await rt('keys revoke laptop --uid alice')).exitCode).toBe(3);
    expect((await rt('orgs list --output csv')).said).toContain(`\r\n${org},branch,true,0\r\n`);
    expect((await rt(`orgs delete ${org} --yes --json`)).said).toEqual({
      oid: org,
      deleted: 2,
      sensors: 0,
      redis: true,
    });
    expect((await rt(`orgs delete ${org} --yes --json`)).exitCode).toBe(3);
    expect((await rt('orgs list --json')).said.orgs.map((row: { oid: string }) => row.oid).toSorted()).toEqual(
      [oid, other].toSorted(),
    );
  });
});
