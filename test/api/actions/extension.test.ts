import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpServer } from '../../../src/edges/http/server.ts';
import { unavailable } from '../../../src/errors.ts';
import { OID, READER_SECRET, set, UNKNOWN_OID } from '../../command/orgs.ts';
import { act, Memory, startApi, tokenOf } from '../support/memory.ts';

const URL = '/v1/extension/request/ext-reliable-tasking';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

let memory: Memory;
let server: HttpServer;
let jwt: string;

beforeEach(async () => {
  memory = new Memory();
  server = await startApi(memory);
  jwt = await tokenOf(server);
});
afterEach(() => server.close());

const post = (payload: string | object, headers = {}, url = URL) =>
  server.inject({ method: 'POST', url, payload, headers: { authorization: `Bearer ${jwt}`, ...headers } });

describe('bodies', () => {
  test.each([[[]], [['a', 'b']]])(
    'data that is the list %j is refused: it must be one object, given once',
    async (data) => {
      const answer = await post({ oid: OID, action: 'list', data });
      expect([answer.statusCode, answer.json().error]).toEqual([
        400,
        expect.stringMatching(/one JSON object, given once/),
      ]);
    },
  );

  test.each<[string, string]>([
    [
      'run --shell-command whoami',
      'data={"context":"version","selector":"plat==windows","task":"run --shell-command whoami","ttl":3600}',
    ],
    ['os_version', `data={"task":"os_version","selector":"sid=='sensor-123-abc'","ttl":86400}`],
    [
      'file_get -f /etc/passwd',
      'data={"task":"file_get -f /etc/passwd","selector":"plat==linux and production in tags","context":"audit-2024","ttl":172800}',
    ],
    ['netstat', `data={"task":"netstat","selector":"plat==linux and int_ip matches '^10\\\\.3\\\\..*'"}`],
    ['os_version', 'data={"task":"os_version","ttl":3600}'],
    ['echo 1+1 && b 100% A %41', 'data={"task":"echo 1+1 && b 100% %41 %2541"}'],
  ])('the curl body for %s makes the task as typed', async (commandLine, data) => {
    const answer = await post(`oid=${OID}&action=task&${data}`, FORM);
    expect(answer.json()).toMatchObject({ error: '', version: 1 });
    expect(answer.statusCode).toBe(200);
    expect(memory.appended.map(({ task }) => task)).toEqual([commandLine]);
  });

  test('the selector of the documented netstat example has single backslashes', async () => {
    await post(
      `oid=${OID}&action=task&data={"task":"netstat","selector":"plat==linux and int_ip matches '^10\\\\.3\\\\..*'"}`,
      FORM,
    );
    expect(memory.appended[0]?.selector).toBe("plat==linux and int_ip matches '^10\\.3\\..*'");
  });

  test('gzdata is unpacked, whether or not its plus signs were encoded', async () => {
    const gzdata = gzipSync(JSON.stringify({ task: 'os_version' })).toString('base64');
    for (const value of [encodeURIComponent(gzdata), gzdata]) {
      const answer = await post(`oid=${OID}&action=task&gzdata=${value}`, FORM);
      expect(answer.statusCode).toBe(200);
    }
  });

  test('oid and action may stand in the query string', async () => {
    const answer = await post('data={"task":"os_version"}', FORM, `${URL}?oid=${OID}&action=task`);
    expect(answer.statusCode).toBe(200);
  });

  test('absent data is an empty object, and JSON text is taken in a JSON body', async () => {
    expect((await post({ oid: OID, action: 'list' })).statusCode).toBe(200);
    expect((await post({ oid: OID, action: 'task', data: '{"task":"os_version"}' })).statusCode).toBe(200);
  });

  test.each<[string, string, number, string]>([
    ['no JSON', `oid=${OID}&action=task&data=%7Bnope`, 400, 'data_invalid'],
    ['no object', `oid=${OID}&action=task&data=[1]`, 400, 'data_invalid'],
    ['broken base64', `oid=${OID}&action=task&gzdata=%%%`, 400, 'data_invalid'],
    ['base64 of no gzip', `oid=${OID}&action=task&gzdata=aGVsbG8=`, 400, 'data_invalid'],
    ['two oids', `oid=${OID}&oid=x&action=list`, 400, 'bad_request'],
    ['two datas', `oid=${OID}&action=list&data=%7B%7D&data=%7B%7D`, 400, 'bad_request'],
    ['no oid', 'action=list', 400, 'bad_request'],
    ['no action', `oid=${OID}`, 400, 'bad_request'],
    ['an unknown action', `oid=${OID}&action=nonsense`, 400, 'action_unknown'],
    ['an action named like a method', `oid=${OID}&action=constructor`, 400, 'action_unknown'],
    ['another org', `oid=${UNKNOWN_OID}&action=list`, 403, 'forbidden'],
  ])('%s is refused', async (_name, body, status, code) => {
    const answer = await post(body, FORM);
    expect([answer.statusCode, answer.json().error_code]).toEqual([status, code]);
    expect(memory.appended).toEqual([]);
  });

  test('a small gzip of much is refused before it is unpacked whole', async () => {
    const small = await startApi(memory, { BODY_MAX_BYTES: '2048' });
    const gzdata = gzipSync(JSON.stringify({ task: 'x'.repeat(100_000) })).toString('base64');
    const payload = { oid: OID, action: 'task', gzdata };
    const answer = await small.inject({
      method: 'POST',
      url: URL,
      payload,
      headers: { authorization: `Bearer ${jwt}` },
    });
    expect([answer.statusCode, answer.json().error_code]).toEqual([413, 'body_too_large']);
    const large = await small.inject({
      method: 'POST',
      url: URL,
      payload: { oid: OID, action: 'task', data: 'x'.repeat(3000) },
      headers: { authorization: `Bearer ${jwt}` },
    });
    expect([large.statusCode, large.json().error_code]).toEqual([413, 'body_too_large']);
    await small.close();
  });

  test('another content type is refused', async () => {
    const answer = await post('<a/>', { 'content-type': 'text/xml' });
    expect([answer.statusCode, answer.json().error_code]).toEqual([415, 'unsupported_media_type']);
  });

  test('another extension is unknown', async () => {
    const answer = await post({ oid: OID, action: 'list' }, {}, '/v1/extension/request/ext-other');
    expect([answer.statusCode, answer.json().error_code]).toEqual([400, 'extension_unknown']);
  });
});

describe('who may do what', () => {
  test('a key with sensor.list reads, and changes nothing', async () => {
    const reader = await tokenOf(server, OID, READER_SECRET);
    expect((await act(server, reader, 'list', {})).status).toBe(200);
    for (const action of ['task', 'untask']) {
      const { status, body } = await act(server, reader, action, { task: 'x', task_id: 'y' });
      expect([status, body.error_code, body.data]).toEqual([403, 'forbidden', { right: 'sensor.task' }]);
    }
    expect(memory.appended).toEqual([]);
  });

  test('an org that is not subscribed is refused', async () => {
    set(memory.orgs, OID, 'SUBSCRIPTION', 'ext-reliable-tasking', { periods: [{ from: 0, to: 1 }] });
    const { status, body } = await act(server, jwt, 'task', { task: 'os_version' });
    expect([status, body.error_code]).toEqual([400, 'not_subscribed']);
  });
});

describe('Kafka, Redis or the projection away', () => {
  test.each<[string, () => void]>([
    [
      'Redis fails',
      () => {
        memory.fault = new Error('connection refused');
      },
    ],
    [
      'the projection is being rebuilt',
      () => {
        memory.usable = false;
      },
    ],
    [
      'Kafka fails',
      () => {
        memory.kafkaFault = unavailable('Kafka is away.');
      },
    ],
  ])('%s: 503 with Retry-After, nothing accepted', async (_name, breakIt) => {
    breakIt();
    const answer = await post({ oid: OID, action: 'task', data: { task: 'os_version' } });
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({ error_code: 'unavailable', retriable: true });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(memory.appended).toEqual([]);
  });

  test('a listing fails with 503 while nothing of it was sent', async () => {
    memory.usable = false;
    expect((await act(server, jwt, 'list', {})).status).toBe(503);
    memory.usable = true;
    memory.fault = new Error('gone');
    expect((await act(server, jwt, 'get', { task_id: 't' })).status).toBe(503);
  });
});
