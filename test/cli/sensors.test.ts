/** `sensors`, `preview` and `explain` against a server that this file plays. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { csv } from '../../src/text/csv.ts';
import { OID, reply, run, serveAnswers } from './fixtures.ts';

type Server = Awaited<ReturnType<typeof serveAnswers>>;
let server: Server | undefined;
afterEach(() => server?.close());

const sensor = (sid: string, over: object = {}) => ({
  sid,
  hostname: `host-${sid}`,
  plat: 0x20000000,
  arch: 2,
  alive: '2026-01-31 12:00:00',
  enroll: '',
  int_ip: '10.0.0.1',
  ext_ip: '',
  should_isolate: false,
  is_isolated: false,
  tags: ['prod', 'x'],
  ...over,
});

/** Runs one command against answers by path; answers what was printed and what was asked. */
async function ask(args: string[], answers: Record<string, unknown>) {
  server = await serveAnswers((request, response) => {
    const found = Object.entries(answers).find(([path]) => `${request.method} ${request.path}`.startsWith(path));
    if (found) reply(response, 200, found[1]);
    else reply(response, 404, { error: 'The org has no sensor.', error_code: 'sensor_unknown' });
  });
  const printed = await run([...args, '--url', server.url]);
  const asked = server.requests
    .filter(({ path }) => path !== '/')
    .map(({ method, path, form }) => `${method} ${path} ${form}`.trim());
  return { ...printed, asked };
}
const request = (data: object) => ({ 'POST /v1/extension/request': { error: '', version: 1, data } });

describe('sensors list', () => {
  it('gathers all pages, and says what it was asked for', async () => {
    let page = 0;
    server = await serveAnswers((_request, response) => {
      page += 1;
      reply(
        response,
        200,
        page === 1 ? { sensors: [sensor('a')], continuation_token: 't' } : { sensors: [sensor('b')] },
      );
    });
    const args = ['--tag', 'a/b', '--online', '--hostname', 'web', '--ip', '10.0.0.1', '--limit', '5'];
    const { out, exitCode } = await run(['sensors', 'list', ...args, '--url', server.url]);
    expect([exitCode, out.split('\n').filter(Boolean)]).toEqual([
      0,
      [
        expect.stringMatching(/^SENSOR +HOST +PLATFORM +ADDRESS +LAST HEARD OF +TAGS$/),
        expect.stringMatching(/^a +host-a +linux +10\.0\.0\.1 +2026-01-31 12:00:00Z +prod x$/),
        expect.stringMatching(/^b /),
      ],
    ]);
    const [first, second] = server.requests.slice(1).map(({ path }) => new URL(path, 'http://x'));
    expect(first?.pathname).toBe(`/v1/sensors/${OID}`);
    expect(Object.fromEntries(first?.searchParams ?? [])).toEqual({
      selector: '"a/b" in tags',
      is_online_only: 'true',
      with_hostname_prefix: 'web',
      with_ip: '10.0.0.1',
      limit: '5',
    });
    expect(second?.searchParams.get('continuation_token')).toBe('t');
  });

  it('has rows for a spreadsheet, JSON for programs, and tells that there are more', async () => {
    const answers = {
      'GET /v1/sensors/': { sensors: [sensor('a', { hostname: '=1+1, "x"' })], continuation_token: 't' },
    };
    const rows = await ask(['sensors', 'list', '--output', 'csv', '--limit', '1'], answers);
    expect(rows.out).toBe(
      'sid,hostname,plat,arch,int_ip,ext_ip,alive,enroll,tags,should_isolate,is_isolated\r\n' +
        `a,"'=1+1, ""x""",linux,x64,10.0.0.1,,2026-01-31 12:00:00,,prod x,false,false\r\n`,
    );
    expect(rows.err).toContain('More sensors: add --limit');
    await server?.close();
    const { out } = await ask(['sensors', 'list', '--json', '--limit', '1'], answers);
    expect(JSON.parse(out).sensors).toHaveLength(1);
  });
});

describe('one sensor', () => {
  it('is shown, or told to be unknown', async () => {
    const answers = { 'GET /v1/a': { info: sensor('a', { should_isolate: true }), is_online: true } };
    const { out } = await ask(['sensors', 'show', 'a'], answers);
    expect(out).toMatch(/host +host-a\n/);
    expect(out).toMatch(/platform +linux, x64\n/);
    expect(out).toMatch(/isolation +requested\n/);
    await server?.close();
    const unknown = await ask(['sensors', 'show', 'b'], answers);
    expect([unknown.exitCode, unknown.err]).toEqual([3, expect.stringContaining('sensors list')]);
  });

  it.each([
    [
      ['tag', 'a', 'vip', 'x,y', '--ttl', '1h'],
      ['POST /v1/a/tags tags=vip&tags=x%2Cy&ttl=3600'],
      { added: ['vip', 'x,y'] },
    ],
    [
      ['untag', 'a', 'vip', 'x,y'],
      ['DELETE /v1/a/tags tag=vip', 'DELETE /v1/a/tags tag=x%2Cy'],
      { removed: ['vip', 'x,y'] },
    ],
    [['isolate', 'a'], ['POST /v1/a/isolation'], { should_isolate: true }],
    [['rejoin', 'a'], ['DELETE /v1/a/isolation'], { should_isolate: false }],
    [['forget', 'a'], ['DELETE /v1/a'], { forgotten: true }],
  ])('is changed by %j', async (args, asked, shown) => {
    const answers = { 'POST /v1/a': {}, 'DELETE /v1/a': {} };
    const result = await ask(['sensors', ...args, '--json'], answers);
    expect([result.exitCode, result.asked, JSON.parse(result.out)]).toEqual([0, asked, { sid: 'a', ...shown }]);
    await server?.close();
    expect((await ask(['sensors', ...args], answers)).out).toMatch(/^a .+\n$/);
  });

  it.each([
    [['sensors', 'forget', 'a', '--kafka', '--oid', 'x'], /The org is missing/],
    [['sensors', 'forget', 'a b', '--kafka'], /is not a sid/],
    [['sensors', 'forget', 'a', '--kafka'], /KAFKA_BROKERS/],
    [['sensors', 'tag', 'a'], /Missing required argument/],
    [['sensors', 'list', '--json', '--output', 'csv'], /cannot be used with/],
    [['preview', '*', '--tag', 't'], /not both/],
  ])('%j is a wrong use', async (args, sentence) => {
    const { exitCode, err } = await run(args);
    expect([exitCode, err]).toEqual([2, expect.stringMatching(sentence)]);
  });
});

describe('preview', () => {
  const answer = {
    total_sensors: 2,
    online_sensors: 1,
    sensors: [{ sid: 'a', hostname: 'web', plat: 'linux', online: true }],
    excluded_by: [{ clause: '"vip" in tags', sensors: 94 }],
    next_cursor: 'c',
  };

  it('tells how many could not be judged', async () => {
    const { out } = await ask(['preview', 'did == x'], request({ ...answer, error_sensors: 3 }));
    expect(out).toMatch(/^2 match now, 1 of them online\n\n3 sensors not evaluated: a fact is missing/);
    expect((await ask(['preview', 'did == x'], request(answer))).out).not.toContain('not evaluated');
  });

  it('tells how many match, which, and what excludes the others', async () => {
    const { out, err, asked } = await ask(['preview', 'vip in tags', '--limit', '1'], request(answer));
    expect(out).toMatch(/^2 match now, 1 of them online\n/);
    expect(out).toMatch(/a +web +linux +online\n/);
    expect(out).toMatch(/94 +"vip" in tags\n/);
    expect(err).toContain('--cursor c');
    expect(decodeURIComponent(asked[0] ?? '')).toContain('{"selector":"vip+in+tags","limit":1}');
  });

  it('has rows and JSON', async () => {
    expect((await ask(['preview', '--tag', 'vip', '--output', 'csv'], request(answer))).out).toBe(
      'sid,hostname,plat,online\r\na,web,linux,true\r\n',
    );
    await server?.close();
    expect(JSON.parse((await ask(['preview', '--json'], request(answer))).out)).toEqual(answer);
  });
});

it('explain shows each clause with its value and verdict', async () => {
  const clauses = [
    { clause: 'plat == "linux"', column: 1, value: 'windows', result: false },
    { clause: 'enroll == "1"', column: 19, value: null, result: 'error' },
  ];
  const { out } = await ask(['explain', 'plat == linux', 'a'], request({ result: false, clauses }));
  expect(out).toMatch(/^The sensor does not match\.\n/);
  expect(out).toMatch(/false +1 +plat == "linux" +"windows"\n/);
  expect(out).toMatch(/error +19 +enroll == "1" +not known\n/);
  await server?.close();
  const rows = await ask(['explain', 'x', 'a', '--output', 'csv'], request({ result: false, clauses }));
  expect(rows.out).toContain('1,"plat == ""linux""",windows,false\r\n');
});

it('csv never lets a cell break its row, or run as a formula', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 4 }), (cells) => {
      const text = csv(['h'], [cells]).slice('h\r\n'.length, -2);
      const parsed = [...`,${text}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^,"]*))/g)].map(
        ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? '',
      );
      expect(parsed.map((cell) => cell.replace(/^'(?='*[=+\-@\t\r])/, ''))).toEqual(cells);
      expect(parsed.every((cell) => !/^[=+\-@\t\r]/.test(cell))).toBe(true);
    }),
    { examples: [[["'-"]]] },
  );
});
