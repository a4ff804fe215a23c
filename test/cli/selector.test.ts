import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from './fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'rt-selector-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fileOf = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const sensors = fileOf(
  'sensors.json',
  JSON.stringify([
    { sid: 'a', hostname: 'web-1', meta: { labels: { env: 'x' } } },
    { sid: 'b', tags: ['vip'] },
  ]),
);
const evaluated = (...args: string[]) => run(['selector', 'eval', '--sensors', sensors, ...args]);
const fixture = (name: string) => new URL(`../selector/fixtures/${name}`, import.meta.url).pathname;

describe('rt selector eval', () => {
  it('answers each sensor in its order', async () => {
    const { exitCode, out } = await evaluated('--json', '--expr', 'hostname == `web-1`');
    expect(exitCode).toBe(0);
    expect(JSON.parse(out)).toEqual({
      expr: 'hostname == `web-1`',
      parses: true,
      error: null,
      code: null,
      column: null,
      results: [1, 'e'],
    });
  });

  it.each([
    ["meta.labels['env'] == x", 'selector_unknown_field', 1, [1, 'e']],
    ['sid == a and platform == linux', 'selector_unknown_field', 14, ['e', 0]],
    ["hostname matches '('", 'selector_bad_regex', 18, ['e', 'e']],
    ["sid == b or hostname matches 'a(?=b)'", 'selector_bad_regex', 30, ['e', 1]],
  ])('tells a program that a server refuses %s, and where', async (expr, code, column, results) => {
    const { exitCode, out } = await evaluated('--json', '--expr', expr);
    expect(exitCode).toBe(0);
    const error = expect.stringMatching(`^column ${column}: `);
    expect(JSON.parse(out)).toEqual({ expr, parses: true, error, code, column, results });
  });

  it('shows a person the sensors', async () => {
    const { exitCode, out } = await evaluated('--expr', 'hostname == web or sid == b');
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^SID {2,}HOSTNAME {2,}SELECTED\na {2,}web-1 {2,}no\nb {2,}– {2,}error\n$/);
  });

  it('says why a sensor gives an error, as a server would', async () => {
    const { exitCode, err } = await evaluated('--expr', 'platform == linux');
    expect(exitCode).toBe(0);
    expect(err).toMatch(/^column 1: found platform, .*did you mean plat\?\n$/);
    expect((await evaluated('--expr', 'sid in tags or platform == linux')).err).toMatch(/^column 16: found platform/);
    expect((await evaluated('--expr', 'sid == a')).err).toBe('');
  });

  it('says when the work of a regular expression is the reason', async () => {
    const long = fileOf('long.json', JSON.stringify([{ sid: 'a', hostname: 'x'.repeat(250_000) }]));
    const { exitCode, out, err } = await run([
      ...['selector', 'eval', '--sensors', long, '--expr', 'hostname matches "[xyz]*x[xyz]{900}z"'],
    ]);
    expect(exitCode).toBe(0);
    expect(out).toMatch(/error/);
    expect(err).toMatch(/^The regular expressions of the selector compile to \d+ steps, .* smaller repeat counts/);
  });

  it('ends with 4 when its only selector does not parse, and still answers a program', async () => {
    const { exitCode, out, err } = await evaluated('--json', '--expr', 'sid = a');
    expect(exitCode).toBe(4);
    expect(JSON.parse(out)).toMatchObject({
      parses: false,
      error: expect.stringContaining('column 5'),
      code: 'selector_syntax',
      column: 5,
      results: [],
    });
    expect(err).toMatch(/^selector_syntax .*write ==/);
  });

  it('takes selectors from a file, as text or as JSON', async () => {
    const file = fileOf('cases', '{"expr": "sid == a", "kind": "more"}\n\nvip in tags\r\nsid = a\n"vip" in tags');
    const { exitCode, out } = await evaluated('--json', '--file', file);
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(exitCode).toBe(0);
    expect(lines.map(({ parses, results }) => [parses, results])).toEqual([
      [true, [1, 0]],
      [true, ['e', 1]],
      [false, []],
      [true, ['e', 1]],
    ]);
    const { out: shown } = await evaluated('--file', file);
    expect(shown).toMatch(/^SELECTOR {2,}YES {2,}NO {2,}ERROR\nsid == a {2,}1 {2,}1 {2,}0\n/);
    expect(shown).toMatch(/sid = a {2,}– {2,}– {2,}– {2,}column 5.*; write == for "is equal to"\n/);
    expect(shown).toMatch(/vip in tags {2,}1 {2,}0 {2,}1 {2,}Some sensors lack a field that the selector uses\.\n/);
  });

  it('gives the recorded answers of go-bexpr, apart from those that differ on purpose', async () => {
    const cases = fixture('cases.jsonl');
    const { exitCode, out } = await run([
      'selector',
      'eval',
      '--sensors',
      fixture('sensors.json'),
      '--file',
      cases,
      '--json',
    ]);
    const expected = readFileSync(cases, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const got = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect([exitCode, got.length]).toEqual([0, expected.length]);
    const differing = expected.filter(
      ({ parses, results }, i) =>
        got[i].parses !== parses || JSON.stringify(got[i].results) !== JSON.stringify(results),
    );
    const meant = differing.filter(({ kind, limit }) => kind === 'pointer_like_value' || limit === true);
    expect(differing).toEqual(meant);
  });

  it.each([
    [['--json'], /Add --expr or --file/],
    [['--expr', '*', '--file', 'x'], /cannot be used with/],
    [['--file', 'nosuch'], /nosuch cannot be read/],
    [['--file', fileOf('bad', 'sid == a\n{"x": 1}')], /line 2: the field expr is missing/],
    [['--file', fileOf('worse', '{x')], /line 1: not valid JSON/],
    [['--expr', '*', '--sensors', fileOf('map.json', '{}')], /JSON list of objects/],
    [['--expr', '*', '--sensors', fileOf('list.json', '[1]')], /JSON list of objects/],
    [['--expr', '*', '--sensors', fileOf('no.json', '[')], /not valid JSON/],
    [['--expr', '*', '--sensors', 'nosuch'], /cannot be read/],
  ])('refuses %j', async (args, why) => {
    const { exitCode, err } = await evaluated(...args);
    expect([exitCode, err]).toEqual([2, expect.stringMatching(why)]);
  });
});
