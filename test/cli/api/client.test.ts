import { afterEach, describe, expect, it } from 'vitest';
import { API_KEY, OID, type Received, reply, run, serveAnswers } from '../fixtures.ts';

type Server = Awaited<ReturnType<typeof serveAnswers>>;
let server: Server | undefined;
afterEach(() => server?.close());

async function runAgainst(args: string[], answer: Parameters<typeof serveAnswers>[0]) {
  server = await serveAnswers(answer);
  const result = await run([...args, '--url', server.url]);
  return { ...result, requests: server.requests };
}

const dataOf = (request: Received | undefined) => JSON.parse(request?.form.get('data') ?? 'null');

describe('commands against a server', () => {
  it('queue a task: a token, then one request with the fields that were given and no others', async () => {
    const { exitCode, out, requests } = await runAgainst(
      ['task', 'file_get', '/x', '--tag', 'vip', '--ttl', '1h', '--idempotency-key', 'k', '--json'],
      (_, response) => reply(response, 200, { error: '', version: 1, data: { task_id: 't1', total_sensors: 3 } }),
    );
    expect(exitCode).toBe(0);
    expect(JSON.parse(out)).toEqual({ task_id: 't1', total_sensors: 3 });
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /',
      'POST /v1/extension/request/ext-reliable-tasking',
    ]);
    expect(requests[1]?.headers.authorization).toBe('Bearer token-1');
    expect(requests[1]?.form.get('oid')).toBe(OID);
    expect(dataOf(requests[1])).toEqual({ task: 'file_get /x', tag: 'vip', ttl: 3_600, idempotency_key: 'k' });
  });

  it.each<[string, string[], Record<string, string>]>([
    ['the user of a user key', ['--uid', 'alice'], { oid: OID, secret: API_KEY, uid: 'alice' }],
    ['nobody with a key of an org', [], { oid: OID, secret: API_KEY }],
  ])('name %s when they ask for a token', async (_who, args, form) => {
    const { requests } = await runAgainst(['list', ...args], (_, response) =>
      reply(response, 200, { data: { tasks: [] } }),
    );
    expect(Object.fromEntries(requests[0]?.form ?? [])).toEqual(form);
  });

  it('keep what follows -- as it is', async () => {
    const text = ['run', '--shell-command', 'a && b', '1+1', '100%'];
    server = await serveAnswers((_, response) => reply(response, 200, { data: { task_id: 't' } }));
    await run(['task', '--url', server.url, '--sid', 's1', '--', ...text]);
    expect(dataOf(server.requests[1])).toEqual({ task: 'run --shell-command a && b 1+1 100%', sid: 's1' });
  });

  it('say why a sensor has not run a task, as a sentence or as JSON', async () => {
    const data = { task_id: 't', sid: 's', state: 'queued', reason: 'offline', sentence: 'It is offline.', at: 1 };
    const asked = await runAgainst(['why', 't', 's'], (_, response) => reply(response, 200, { data }));
    expect([asked.exitCode, asked.out, asked.err]).toEqual([0, 'queued  It is offline.\n', '']);
    expect(dataOf(asked.requests[1])).toEqual({ task_id: 't', sid: 's' });
    const json = await runAgainst(['why', 't', 's', '--json'], (_, response) => reply(response, 200, { data }));
    expect(JSON.parse(json.out)).toEqual(data);
  });

  it('ask for another token once when theirs is refused', async () => {
    const { exitCode, requests } = await runAgainst(['list'], ({ headers }, response) => {
      if (headers.authorization === 'Bearer token-1')
        reply(response, 401, { error: 'no', error_code: 'token_invalid' });
      else reply(response, 200, { data: { tasks: [] } });
    });
    expect(exitCode).toBe(0);
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      'Bearer token-1',
      undefined,
      'Bearer token-2',
    ]);
  });

  it('give up when the second token is refused too', async () => {
    const { exitCode, requests } = await runAgainst(['list'], (_, response) =>
      reply(response, 401, { error: 'Not ours.', error_code: 'token_invalid' }),
    );
    expect(exitCode).toBe(2);
    expect(requests.length).toBe(4);
  });

  it.each([
    [400, 'selector_syntax', 4],
    [401, 'key_invalid', 2],
    [403, 'forbidden', 2],
    [404, 'task_unknown', 3],
    [409, 'idempotency_conflict', 4],
    [422, 'data_invalid', 4],
    [429, 'rate_limited', 5],
    [500, 'internal_error', 1],
    [503, 'unavailable', 6],
  ])('end after a %d (%s) with exit code %d, code and sentence on standard error alone', async (status, code, exit) => {
    const { exitCode, out, err } = await runAgainst(['show', 't1'], (_, response) =>
      reply(response, status, { error: 'Try something else.', error_code: code }),
    );
    expect(exitCode).toBe(exit);
    expect(out).toBe('');
    expect(err.split('\n')[0]).toBe(`${code}  Try something else.`);
  });

  it('never print the API key, even when the server does', async () => {
    const { err } = await runAgainst(['list'], (_, response) => reply(response, 400, { error: `bad ${API_KEY}` }));
    expect(err).toContain('bad ***');
    expect(err).not.toContain(API_KEY);
  });

  it('say when something else answers', async () => {
    const { exitCode, err } = await runAgainst(['list'], (_, response) => response.end('<html>'));
    expect(exitCode).toBe(1);
    expect(err).toContain('is not a Reliable Tasking server');
  });

  it('say when nobody answers', async () => {
    const gone = await serveAnswers(() => {});
    await gone.close();
    const { exitCode, err } = await run(['list', '--url', gone.url]);
    expect(exitCode).toBe(6);
    expect(err).toContain('does not answer');
  });
});

describe('watch', () => {
  const event = (id: number) =>
    `id: 0:${id}\nevent: task_done\ndata: ${JSON.stringify({ routing: { event_time: 0 }, event: { task_id: `t${id}`, sid: 's' } })}\n\n`;

  it('prints one object a line, connects again after the last event, and ends well when it is stopped', async () => {
    const stopping = new AbortController();
    const seen: unknown[] = [];
    server = await serveAnswers(({ headers }, response) => {
      seen.push(headers['last-event-id']);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (seen.length === 1) response.end(event(1) + event(2));
      else response.write(`: hello\n\n${event(3)}`);
    });
    let out = '';
    const exitCode = await run(['watch', '--json', '--task', 't', '--url', server.url], {
      stopped: stopping.signal,
      out: (text) => {
        out += text;
        if (out.split('\n').length === 4) stopping.abort();
      },
    }).then((result) => result.exitCode);
    expect(exitCode).toBe(0);
    expect(seen).toEqual([undefined, '0:2']);
    expect(server.requests[1]?.path).toBe(`/v1/orgs/${OID}/events?task_id=t`);
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ id, type, event: { task_id } }) => [id, type, task_id])).toEqual([
      ['0:1', 'task_done', 't1'],
      ['0:2', 'task_done', 't2'],
      ['0:3', 'task_done', 't3'],
    ]);
  });

  it('ends with the error when the first connect is refused', async () => {
    const { exitCode } = await runAgainst(['watch'], (_, response) => reply(response, 503, { error: 'Later.' }));
    expect(exitCode).toBe(6);
  });
});
