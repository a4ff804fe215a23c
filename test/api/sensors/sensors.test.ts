/** The sensor routes, as the public clients call them, over a Kafka and a Redis in memory. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cursorOf } from '../../../src/api/http/cursor.ts';
import type { HttpServer } from '../../../src/edges/http/server.ts';
import { unavailable } from '../../../src/errors.ts';
import { EXTENSION, hashOfKey } from '../../../src/orgs/table.ts';
import { OID, set, UNKNOWN_OID } from '../../command/orgs.ts';
import { ALIVE_AT_MS, act, Memory, startApi, tokenOf } from '../support/memory.ts';

const LINUX = 0x20000000;
const TEXT_KEY = 'aaaaaaaa-bbbb-4ccc-8ddd-000000000000';

let memory: Memory;
let server: HttpServer;
let jwt: string;

beforeEach(async () => {
  memory = new Memory();
  const perms = ['sensor.list', 'sensor.get', 'sensor.task', 'sensor.tag', 'sensor.del'];
  set(memory.orgs, OID, 'API_KEY', 'sensors', { hash: hashOfKey(TEXT_KEY), perms });
  server = await startApi(memory);
  jwt = await tokenOf(server, OID, TEXT_KEY);
});
afterEach(() => server.close());

type Body = Record<string, unknown> & { error_code?: string; sensors: Record<string, unknown>[] };
type Method = 'GET' | 'POST' | 'DELETE';

/** A form, as Python's clients send it: also with GET and DELETE. */
async function call(method: Method, url: string, form = '', token = jwt): Promise<{ status: number; body: Body }> {
  const headers = { authorization: `bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await server.inject({ method, url, headers, payload: form });
  return { status: answer.statusCode, body: answer.json() as Body };
}
const sidsOf = ({ body }: { body: Body }) => body.sensors.map(({ sid }) => sid).sort();

describe('one sensor', () => {
  test('has codes as numbers, times as text, and online as an object', async () => {
    memory.addSensor('a', {
      hostname: 'web-1',
      plat: -0x70000000,
      ext_plat: LINUX,
      enroll: 1_769_860_800_000,
      tags: ['t'],
    });
    const { status, body } = await call('GET', '/v1/a');
    expect([status, body]).toEqual([
      200,
      {
        info: {
          oid: OID,
          sid: 'a',
          iid: '',
          did: '',
          hostname: 'web-1',
          plat: 0x90000000,
          ext_plat: LINUX,
          arch: 2,
          enroll: '2026-01-31 12:00:00',
          alive: new Date(ALIVE_AT_MS).toISOString().slice(0, 19).replace('T', ' '),
          int_ip: '10.3.1.2',
          ext_ip: '',
          mac_addr: '',
          isolated: false,
          is_isolated: false,
          should_isolate: false,
          kernel: false,
          tags: ['t'],
        },
        online: { a: expect.any(String) },
        is_online: true,
      },
    ]);
    memory.addSensor('off', {}, false);
    expect((await call('GET', '/v1/off')).body).toMatchObject({ online: {}, is_online: false });
  });

  test('that nobody knows is 404; a name that is none 400; without a right 403', async () => {
    expect((await call('GET', '/v1/nobody')).body.error_code).toBe('sensor_unknown');
    expect((await call('GET', '/v1/a%20b')).body.error_code).toBe('sid_invalid');
    const poor = await tokenOf(server);
    expect((await call('POST', '/v1/a/tags', 'tags=x', poor)).status).toBe(403);
    expect((await call('GET', `/v1/sensors/${UNKNOWN_OID}`)).status).toBe(403);
  });

  test('is forgotten by DELETE, and is not there afterwards', async () => {
    memory.addSensor('a');
    expect(await call('DELETE', '/v1/a')).toEqual({ status: 200, body: {} });
    expect(memory.presence).toMatchObject([{ event: 'FORGOTTEN', sid: 'a', connection_id: '', sensor: null }]);
    expect((await call('GET', '/v1/a')).status).toBe(404);
    expect((await call('DELETE', '/v1/a')).status).toBe(404);
  });
});

describe('the listing', () => {
  test('has all sensors, in pages that together are all, and no token at the end', async () => {
    for (let n = 0; n < 25; n += 1) memory.addSensor(`s-${n}`, {}, n % 2 === 0);
    const whole = await call('GET', `/v1/sensors/${OID}`);
    expect(whole.body).not.toHaveProperty('continuation_token');
    expect(sidsOf(whole)).toEqual([...memory.sensors.keys()].sort());
    for (const limit of [1, 2, 7, 25]) {
      const seen: unknown[] = [];
      let token: unknown;
      do {
        const query = token === undefined ? '' : `&continuation_token=${encodeURIComponent(String(token))}`;
        const page = await call('GET', `/v1/sensors/${OID}?limit=${limit}${query}`);
        expect(page.body.sensors.length).toBeLessThanOrEqual(limit);
        seen.push(...sidsOf(page));
        token = page.body.continuation_token;
      } while (token !== undefined);
      expect(seen.sort()).toEqual([...memory.sensors.keys()].sort());
    }
  });

  test('gives a sensor twice rather than never when the table has moved below it', async () => {
    for (let n = 0; n < 12; n += 1) memory.addSensor(`s-${n}`);
    const first = await call('GET', `/v1/sensors/${OID}?limit=5`);
    const gone = sidsOf(first)[0] as string;
    memory.sensors.delete(gone);
    const query = `limit=100&continuation_token=${first.body.continuation_token}`;
    const rest = await call('GET', `/v1/sensors/${OID}?${query}`);
    expect(new Set([...sidsOf(first), ...sidsOf(rest)]).size).toBe(12);
  });

  test('is narrowed by selector, address, host name and presence', async () => {
    memory.addSensor('a', { hostname: 'WEB-1', plat: LINUX, int_ip: '10.0.0.1', tags: ['prod'] });
    memory.addSensor('b', { hostname: 'web-2', ext_ip: '10.0.0.1' }, false);
    memory.addSensor('c', { hostname: 'mail' });
    const of = async (query: string) => sidsOf(await call('GET', `/v1/sensors/${OID}?${query}`));
    expect(await of('selector=plat%20%3D%3D%20linux')).toEqual(['a']);
    expect(await of(`selector=${encodeURIComponent('`prod` in tags')}`)).toEqual(['a']);
    expect(await of('with_ip=10.0.0.1')).toEqual(['a', 'b']);
    expect(await of('with_hostname_prefix=web-')).toEqual(['a', 'b']);
    expect(await of('with_hostname_prefix=web-&is_online_only=true')).toEqual(['a']);
    expect(await of('is_online_only=True')).toEqual(['a', 'c']);
    expect(await of(`selector=alive%20%3D%3D%20${ALIVE_AT_MS / 1000}&limit=999999`)).toEqual(['a', 'b', 'c']);
  });

  test.each([
    ['selector=plat%20%3D', 'selector_syntax'],
    ['selector=colour%20%3D%3D%20red', 'selector_unknown_field'],
    ['limit=0', 'bad_request'],
    ['limit=many', 'bad_request'],
    ['continuation_token=abc', 'data_invalid'],
  ])('refuses %s', async (query, code) => {
    const { status, body } = await call('GET', `/v1/sensors/${OID}?${query}`);
    expect([status, body.error_code]).toEqual([400, code]);
  });

  test('refuses a token with a scan cursor that Redis would not accept', async () => {
    memory.addSensor('a');
    memory.addSensor('b');
    const { body } = await call('GET', `/v1/sensors/${OID}?limit=1`);
    const [listing] = JSON.parse(Buffer.from(String(body.continuation_token), 'base64url').toString()) as string[];
    const statusAt = async (scan: bigint) =>
      (
        await call(
          'GET',
          `/v1/sensors/${OID}?limit=1&continuation_token=${cursorOf(listing as string, `0 ${scan} 0 `)}`,
        )
      ).status;
    expect([await statusAt(2n ** 64n), await statusAt(2n ** 64n - 1n)]).toEqual([400, 200]);
  });

  test('refuses a token of another listing, and is 503 when the projection is lost', async () => {
    memory.addSensor('a');
    memory.addSensor('b');
    const { body } = await call('GET', `/v1/sensors/${OID}?limit=1`);
    const again = `limit=1&continuation_token=${body.continuation_token}`;
    expect((await call('GET', `/v1/sensors/${OID}?with_ip=x&${again}`)).status).toBe(400);
    memory.onRead = (name) => {
      if (name === 'scanFacts') memory.epoch = 'e2';
    };
    expect((await call('GET', `/v1/sensors/${OID}?${again}`)).status).toBe(503);
  });
});

test('online is shown for all sensors, or for some', async () => {
  memory.addSensor('a');
  memory.addSensor('b', {}, false);
  expect((await call('POST', `/v1/online/${OID}`)).body).toEqual({ a: true, b: false });
  expect((await call('POST', `/v1/online/${OID}`, 'sids=a&sids=nobody')).body).toEqual({ a: true, nobody: false });
  expect((await call('POST', `/v1/online/${OID}`, 'sids=b')).body).toEqual({ b: false });
  memory.sensors.clear();
  expect((await call('POST', `/v1/online/${OID}`)).body).toEqual({});
});

describe('task now', () => {
  test('is a direct task for the sensor, not listed, with the investigation as given', async () => {
    memory.addSensor('a');
    const { status, body } = await call(
      'POST',
      '/v1/a',
      'tasks=os_version&tasks=history_dump&investigation_id=inv%2F7',
    );
    expect([status, body]).toEqual([200, {}]);
    expect(memory.appended).toMatchObject([
      { task: 'os_version', selector: 'sid == "a"', ttl: 60, context: 'inv/7', options: '{"direct":true}' },
      { task: 'history_dump', selector: 'sid == "a"', issued_by: 'sensors' },
    ]);
    expect((await act(server, jwt, 'list', {})).body.data).toEqual({ tasks: [] });
    const [{ task_id } = { task_id: '' }] = memory.appended;
    expect((await act(server, jwt, 'get', { task_id })).body.data.counts).toMatchObject({ done: 1 });
  });

  test('is refused when the sensor is offline or unknown, or a command is none: nothing is written', async () => {
    memory.addSensor('off', {}, false);
    memory.addSensor('a');
    const offline = await call('POST', '/v1/off', 'tasks=os_version');
    expect([offline.status, offline.body.error_code]).toEqual([409, 'sensor_offline']);
    expect(offline.body.error).toContain('ext-reliable-tasking');
    expect((await call('POST', '/v1/nobody', 'tasks=x')).status).toBe(404);
    expect((await call('POST', '/v1/a', '')).body.error_code).toBe('task_missing');
    expect((await call('POST', '/v1/a', 'tasks=x&tasks=')).body.error_code).toBe('task_missing');
    expect(memory.appended).toEqual([]);
  });

  test('is refused in an org that is not subscribed, with the sentence of all calls', async () => {
    memory.addSensor('off', {}, false);
    set(memory.orgs, OID, 'SUBSCRIPTION', EXTENSION, null);
    const { status, body } = await call('POST', '/v1/off', 'tasks=os_version');
    const { body: asked } = await act(server, jwt, 'list', {});
    expect([status, body.error_code, body.error]).toEqual([400, 'not_subscribed', asked.error]);
  });

  test('says what it is done by, and where it may have been sent though the answer is 503', async () => {
    memory.addSensor('a');
    await call('POST', '/v1/a', 'tasks=os_version');
    const [{ task_id } = { task_id: '' }] = memory.appended;
    const why = await act(server, jwt, 'why', { task_id, sid: 'a' });
    expect(why.body.data.sentence).toMatch(/^It was sent. A command for now is done when it is sent/);
    memory.kafkaFault = unavailable('Kafka is away.');
    const { status, body } = await call('POST', '/v1/a', 'tasks=os_version');
    expect([status, body.error]).toEqual([503, expect.stringMatching(/may still be sent/)]);
  });

  test('is 202 when it is not known to be sent', async () => {
    memory.addSensor('a');
    memory.behind = true;
    expect((await call('POST', '/v1/a', 'tasks=os_version')).status).toBe(202);
  });
});

describe('tags', () => {
  const tagsOf = async (sid: string) => {
    const { body } = await call('GET', `/v1/${sid}/tags`);
    return Object.keys((body.tags as Record<string, object>)[sid] ?? {}).sort();
  };

  test('are set, for a while too, and read back at once', async () => {
    memory.addSensor('a', { tags: ['own'] });
    expect(await call('POST', '/v1/a/tags', 'tags=vip&tags=a%2Fb')).toEqual({ status: 200, body: {} });
    expect(await call('POST', '/v1/a/tags', 'tags=short&ttl=60')).toEqual({ status: 200, body: {} });
    expect(await tagsOf('a')).toEqual(['a/b', 'own', 'short', 'vip']);
    const { body } = await call('GET', '/v1/a/tags');
    expect((body.tags as { a: object }).a).toMatchObject({
      vip: ['a', 'vip', 'platform', expect.any(String)],
      own: ['a', 'own', 'sensor', expect.any(String)],
    });
    memory.nowMs += 60_000;
    expect(await tagsOf('a')).toEqual(['a/b', 'own', 'vip']);
  });

  test('are taken away, one or several, also those that the sensor reports, and absent ones', async () => {
    memory.addSensor('a', { tags: ['own'] });
    await call('POST', '/v1/a/tags', 'tags=x&tags=y&tags=z,1');
    expect(await call('DELETE', '/v1/a/tags', 'tag=own')).toEqual({ status: 200, body: {} });
    expect(await call('DELETE', '/v1/a/tags', 'tag=z%2C1')).toEqual({ status: 200, body: {} });
    expect(await call('DELETE', '/v1/a/tags', 'tags=x,never')).toEqual({ status: 200, body: {} });
    expect(await tagsOf('a')).toEqual(['y']);
    expect(await call('POST', '/v1/a/tags', 'tags=own')).toEqual({ status: 200, body: {} });
    expect(await tagsOf('a')).toEqual(['own', 'y']);
  });

  test('beyond what a sensor takes are refused, and change nothing', async () => {
    memory.addSensor('a', { tags: ['own'] });
    const call100 = (n: number) => Array.from({ length: 100 }, (_, i) => `tags=t${n * 100 + i}`).join('&');
    for (let n = 0; n < 10; n += 1) expect((await call('POST', '/v1/a/tags', call100(n))).status).toBe(200);
    expect(await call('POST', '/v1/a/tags', 'tags=t1&tags=more')).toMatchObject({
      status: 400,
      body: {
        error_code: 'data_invalid',
        error: expect.stringContaining('at most 1000 tags set on it, and 1 of these'),
      },
    });
    expect(await tagsOf('a')).not.toContain('more');
    await call('DELETE', '/v1/a/tags', 'tag=t7');
    expect((await call('POST', '/v1/a/tags', 'tags=t1&tags=more')).status).toBe(200);
  });

  test('of the org are listed, and who has one, whatever its characters', async () => {
    memory.addSensor('a', { tags: ['x/y', 'p'], hostname: 'web' });
    memory.addSensor('b', { tags: ['p'] });
    expect((await call('GET', `/v1/tags/${OID}`)).body).toEqual({ tags: ['p', 'x/y'] });
    expect((await call('GET', `/v1/tags/${OID}/x%2Fy`)).body).toEqual({ a: { sid: 'a', hostname: 'web' } });
    expect(Object.keys((await call('GET', `/v1/tags/${OID}/p`)).body).sort()).toEqual(['a', 'b']);
    expect((await call('GET', `/v1/tags/${OID}/none`)).body).toEqual({});
  });

  test.each([
    ['POST', 'tags='],
    ['POST', ''],
    ['POST', 'tags=x&ttl=0'],
    ['POST', 'tags=x&ttl=99999999999'],
    ['POST', 'tags=a%00b'],
    ['POST', `tags=${'x'.repeat(257)}`],
    ['DELETE', ''],
    ['DELETE', 'tags=,'],
  ] as const)('%s refuses %s', async (method, form) => {
    memory.addSensor('a');
    expect((await call(method, '/v1/a/tags', form)).status).toBe(400);
    expect(memory.presence).toEqual([]);
  });

  test('of an unknown sensor are 404 and make none known; not applied in time is 202', async () => {
    expect((await call('POST', '/v1/nobody/tags', 'tags=x')).status).toBe(404);
    expect(memory.presence).toEqual([]);
    memory.addSensor('a');
    memory.behind = true;
    expect(await call('POST', '/v1/a/tags', 'tags=x')).toEqual({ status: 202, body: {} });
  });
});

test('isolation is noted and taken back', async () => {
  memory.addSensor('a');
  const wish = async () => ((await call('GET', '/v1/a')).body.info as Record<string, unknown>).should_isolate;
  expect(await call('POST', '/v1/a/isolation')).toEqual({ status: 200, body: {} });
  expect(await wish()).toBe(true);
  expect(await call('DELETE', '/v1/a/isolation')).toEqual({ status: 200, body: {} });
  expect(await wish()).toBe(false);
  expect((await call('POST', '/v1/nobody/isolation')).status).toBe(404);
});
