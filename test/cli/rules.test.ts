/** `rules` and `extension convert_rules`, against a server that answers and without one. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { OID, type Received, reply, run, serveAnswers } from './fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'rules-'));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const legacy = (sid: string) => ({
  detect: { op: 'is windows' },
  respond: [
    { action: 'service request', name: 'reliable-tasking', request: { action: 'task', task: 'os_version', sid } },
  ],
});
const record = (data: unknown, etag: string) => ({
  data,
  usr_mtd: { enabled: true },
  sys_mtd: { etag, last_error: '' },
});

let server: Awaited<ReturnType<typeof serveAnswers>> | undefined;
afterEach(() => server?.close());

describe('extension convert_rules', () => {
  const hive: Record<string, unknown> = {
    good: record(legacy('<<routing/sid>>'), 'e1'),
    raced: record(legacy('s'), 'e2'),
    odd: record(legacy('<<event/*/sid>>'), 'e3'),
    other: record({ detect: {}, respond: [] }, 'e4'),
  };
  async function convert(...flags: string[]) {
    server = await serveAnswers(({ method, path }, response) => {
      if (path.endsWith('/subscriptions')) reply(response, 200, { 'ext-reliable-tasking': {} });
      else if (method === 'GET')
        reply(response, 200, { records: path.includes('dr-general') ? hive : {}, next_cursor: '' });
      else if (path.includes('/raced/'))
        reply(response, 409, { error: 'lc_error_code:ETAG_MISMATCH - changed', error_code: 'ETAG_MISMATCH' });
      else reply(response, 200, { name: 'good' });
    });
    const done = await run([
      'extension',
      'convert_rules',
      '--name',
      'ext-reliable-tasking',
      ...flags,
      '--url',
      server.url,
    ]);
    return { ...done, writes: server.requests.filter(({ method, path }) => method === 'POST' && path !== '/') };
  }

  it('shows the changes as a diff and writes nothing', async () => {
    const { exitCode, out, err, writes } = await convert();
    expect(writes).toEqual([]);
    expect(out).toContain("Dry run of change on rule 'good':\n- {\n");
    expect(out).toContain('+         "sid": "{{ .routing.sid }}"');
    expect(out).not.toContain("rule 'other'");
    expect(err).toMatch(/rule odd is not converted: respond\/0\/request\/sid: .*wildcard/);
    expect(exitCode).toBe(1);
  });

  it('writes each with its etag and without metadata, and tells why one is not written', async () => {
    const { exitCode, out, err, writes } = await convert('--no-dry-run');
    expect(writes.map(({ path }) => path)).toEqual([
      `/v1/hive/dr-general/${OID}/good/data`,
      `/v1/hive/dr-general/${OID}/raced/data`,
    ]);
    const form = (writes[0] as Received).form;
    expect([form.get('etag'), form.has('usr_mtd')]).toEqual(['e1', false]);
    expect(JSON.parse(form.get('data') ?? '').respond[0]['extension name']).toBe('ext-reliable-tasking');
    expect(out).toBe('rule good converted\n');
    expect(err).toContain('rule raced is not converted: lc_error_code:ETAG_MISMATCH');
    expect(exitCode).toBe(1);
  });

  it('converts a file without a server', async () => {
    const out = join(folder, 'out.json');
    const result = await run([
      'extension',
      'convert_rules',
      '--file',
      file('in.json', JSON.stringify([legacy('s'), { a: 1 }])),
      '--out',
      out,
    ]);
    expect([result.exitCode, result.err]).toEqual([0, '1 of 2 rules converted\n']);
    expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject([
      { respond: [{ action: 'extension request' }] },
      { a: 1 },
    ]);
  });
});

describe('rules', () => {
  it('eval says of each case whether it matches, one a line', async () => {
    const rule = { op: 'is', path: 'event/A', value: 1 };
    const cases = [
      { id: 'a', rule, event: { event: { A: 1 } } },
      { id: 'b', rule, event: { event: { A: 2 } } },
    ];
    const { out } = await run(['rules', 'eval', '--file', file('cases.json', JSON.stringify(cases)), '--json']);
    expect(out).toBe('{"id":"a","match":true}\n{"id":"b","match":false}\n');
  });

  it('test says which events of a file a YAML rule matches', async () => {
    const rule = file('rule.yaml', 'detect:\n  op: is\n  path: event/A\n  value: 1\nrespond:\n- action: seal\n');
    const events = file('events.jsonl', '{"event":{"A":1}}\n{"event":{"A":2}}\n');
    const result = await run(['rules', 'test', '--file', rule, '--events', events]);
    expect(result).toMatchObject({
      exitCode: 0,
      out: '1 of 2 events match\n',
      err: expect.stringContaining('respond/0/action'),
    });
  });

  it.each<[string, string, string]>([
    ['an action that there is not', '- action: tasks\n', 'respond/0/action'],
    ['no actions at all', 'null\n', 'respond'],
    [
      'a literal without quotes',
      '- action: extension request\n  extension name: ext-reliable-tasking\n  extension action: task\n  extension request: {task: os_version}\n',
      'respond/0/extension request/task',
    ],
    [
      'a field that there is not',
      '- action: extension request\n  extension name: ext-reliable-tasking\n  extension action: task\n  extension request: {tags: event.A}\n',
      'respond/0/extension request/tags',
    ],
  ])('test refuses what the server would not store: %s', async (_name, respond, path) => {
    const events = file('events.json', '[{"event":{"A":1}}]');
    const rule = ['--file', file('detect.yaml', 'op: exists\npath: event/A\n')];
    expect(await run(['rules', 'test', ...rule, '--events', events])).toMatchObject({
      exitCode: 0,
      out: '1 of 1 event matches\n',
    });
    const whole = [...rule, '--respond', file('respond.yaml', respond)];
    expect(await run(['rules', 'test', ...whole, '--events', events])).toMatchObject({
      exitCode: 4,
      out: '',
      err: expect.stringContaining(`${path}: `),
    });
  });

  it('set keeps the metadata of a rule that is there, and enables a new one', async () => {
    server = await serveAnswers(({ method, path }, response) => {
      if (
        method === 'GET' &&
        path.includes('/new/') &&
        server?.requests.every((one) => one.method !== 'POST' || one.path === '/')
      )
        reply(response, 400, { error: 'lc_error_code:RECORD_NOT_FOUND - no', error_code: 'RECORD_NOT_FOUND' });
      else reply(response, 200, record({}, 'e9'));
    });
    const rule = file('detect.yaml', 'op: is windows\n');
    expect((await run(['rules', 'set', 'new', '--file', rule, '--url', server.url])).out).toBe('rule new stored\n');
    await run(['rules', 'set', 'old', '--file', rule, '--disable', '--url', server.url]);
    const [first, second] = server.requests
      .filter(({ method, path }) => method === 'POST' && path !== '/')
      .map(({ form }) => form);
    expect([first?.get('etag'), first?.get('usr_mtd'), first?.get('data')]).toEqual([
      null,
      '{"enabled":true}',
      '{"detect":{"op":"is windows"}}',
    ]);
    expect([second?.get('etag'), second?.get('usr_mtd')]).toEqual(['e9', '{"enabled":false}']);
  });
});
