/** What one caller's bodies cost everybody else: the API in a process of its own, asked over sockets. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BARE_OID, OID, SECRET } from '../../command/orgs.ts';

const MIB = 1_048_576;
const BODIES = 10;
const WAIT_MAX_MS = 1_000;
/** A process that serves nothing has about 150. */
const MEMORY_MAX_MIB = 500;
const JSON_TYPE = 'application/json';
const ACTION = '/v1/extension/request/ext-reliable-tasking';

let child: ChildProcess;
let port: number;
let agent: Agent;

beforeEach(async () => {
  child = fork(fileURLToPath(new URL('../support/served.ts', import.meta.url)), { execArgv: [] });
  [{ port }] = (await once(child, 'message')) as [{ port: number }];
  agent = new Agent({ keepAlive: true });
});
afterEach(async () => {
  agent.destroy();
  child.disconnect();
  await once(child, 'exit');
});

async function ask(method: string, path: string, headers: Record<string, string> = {}, body = '') {
  const begunMs = performance.now();
  const asked = request({
    port,
    host: '127.0.0.1',
    method,
    path,
    agent,
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
  });
  asked.end(body);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  let text = '';
  for await (const piece of answer.setEncoding('utf8')) text += piece;
  return { status: answer.statusCode, text, ms: performance.now() - begunMs };
}

const tokenFor = async (oid: string) => {
  const { text } = await ask('POST', '/', { 'content-type': JSON_TYPE }, JSON.stringify({ oid, secret: SECRET }));
  return { authorization: `Bearer ${JSON.parse(text).jwt}` };
};

/** MiB that were in memory at most. */
const memoryOf = ({ pid }: ChildProcess): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;

/** The statuses of so many requests at once, and the longest wait of others meanwhile. */
async function flood(path: string, headers: Record<string, string>, body: string) {
  const other = await tokenFor(BARE_OID);
  let isOver = false;
  const waits: number[] = [];
  const probe = async (url: string, as: Record<string, string>) => {
    while (!isOver) {
      const { status, ms } = await ask('GET', url, as);
      expect(status).toBe(200);
      waits.push(ms);
    }
  };
  const probes = [probe('/healthz', {}), probe('/v1/who', other)];
  const send = () => ask('POST', path, { 'content-type': JSON_TYPE, ...headers }, body);
  const answers = await Promise.all(Array.from({ length: BODIES }, send));
  isOver = true;
  await Promise.all(probes);
  return { statuses: [...new Set(answers.map(({ status }) => status))].sort(), waitMs: Math.max(...waits) };
}

const arrays = `{"data":[${'[],'.repeat((4 * MIB - 20) / 3)}0]}`;

describe('ten bodies of 4 MiB of arrays', () => {
  test('without a token, to an unknown path, cost no time and no memory', async () => {
    const { statuses, waitMs } = await flood('/nope', {}, arrays);
    expect(statuses).toEqual([404]);
    expect(waitMs).toBeLessThan(WAIT_MAX_MS);
    if (process.platform === 'linux') expect(memoryOf(child)).toBeLessThan(MEMORY_MAX_MIB);
  });

  test('with the token of an org are refused, and do not delay other clients', async () => {
    const { statuses, waitMs } = await flood(ACTION, await tokenFor(OID), arrays);
    expect(statuses.filter((status) => status !== 429)).toEqual([413]);
    expect(waitMs).toBeLessThan(WAIT_MAX_MS);
    if (process.platform === 'linux') expect(memoryOf(child)).toBeLessThan(MEMORY_MAX_MIB);
  });

  test('of invalid UTF-8 in a form do not delay other clients', async () => {
    const typed = `oid=${OID}&action=none&data={${'%ff'.repeat((4 * MIB - 80) / 3)}}`;
    const headers = { ...(await tokenFor(OID)), 'content-type': 'application/x-www-form-urlencoded' };
    const { statuses, waitMs } = await flood(ACTION, headers, typed);
    expect(statuses.filter((status) => status !== 429)).toEqual([400]);
    expect(waitMs).toBeLessThan(WAIT_MAX_MS);
  });
});
