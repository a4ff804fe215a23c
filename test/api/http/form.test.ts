import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseForm } from '../../../src/api/http/form.ts';

const OID = '11111111-2222-4333-8444-555555555555';
const fields = (body: string) => ({ ...parseForm(body) });
const dataOf = (body: string): unknown => JSON.parse(parseForm(body).data as string);

describe('a typed body, where data= is followed by a literal brace', () => {
  test.each<[string, string, object]>([
    [
      'task',
      'data={"context":"version","selector":"plat==windows","task":"run --shell-command whoami","ttl":3600}',
      { context: 'version', selector: 'plat==windows', task: 'run --shell-command whoami', ttl: 3600 },
    ],
    [
      'task',
      `data={"task":"os_version","selector":"sid=='sensor-123-abc'","ttl":86400}`,
      { task: 'os_version', selector: "sid=='sensor-123-abc'", ttl: 86400 },
    ],
    [
      'task',
      'data={"task":"file_get -f /etc/passwd","selector":"plat==linux and production in tags","context":"audit-2024","ttl":172800}',
      {
        task: 'file_get -f /etc/passwd',
        selector: 'plat==linux and production in tags',
        context: 'audit-2024',
        ttl: 172800,
      },
    ],
    [
      'task',
      `data={"task":"netstat","selector":"plat==linux and int_ip matches '^10\\\\.3\\\\..*'"}`,
      { task: 'netstat', selector: `plat==linux and int_ip matches '^10\\.3\\..*'` },
    ],
    ['task', 'data={"task":"os_version","ttl":3600}', { task: 'os_version', ttl: 3600 }],
    ['list', 'data={}', {}],
    ['untask', 'data={"task_id":"TASK_ID"}', { task_id: 'TASK_ID' }],
  ])('the documented body for %s %s', (action, data, expected) => {
    const form = parseForm(`oid=${OID}&action=${action}&${data}`);
    expect(form.oid).toBe(OID);
    expect(form.action).toBe(action);
    expect(JSON.parse(form.data as string)).toEqual(expected);
  });

  test.each<[string, string]>([
    ['1+1', '1+1'],
    ['a && b', 'a && b'],
    ['a&data={&b', 'a&data={&b'],
    ['x=1&oid=2', 'x=1&oid=2'],
    ['100%', '100%'],
    ['100% sure', '100% sure'],
    ['%4', '%4'],
    ['%zz', '%zz'],
    ['%41', 'A'],
    ['%2541', '%41'],
    ['%20', ' '],
    ['%7D', '}'],
    ['%c3%a9', 'é'],
    ['%F0%9F%98%80', '😀'],
    ['%C3%A9%41', 'éA'],
    ['%FF', '%FF'],
    ['%41%FF%42', 'A%FFB'],
    ['%C3x', '%C3x'],
    ['%C0%80', '%C0%80'],
    ['%ED%A0%80', '%ED%A0%80'],
    ['%80%41', '%80A'],
    ['é}', 'é}'],
  ])('the command %s arrives as %s', (typed, arrives) => {
    expect(dataOf(`oid=${OID}&action=task&data={"task":"${typed}"}`)).toEqual({ task: arrives });
  });

  test('fields may stand before and after, and are decoded as usual', () => {
    expect(fields('oid=a%20b&data={"task":"a+b&c"}&action=task+x&oid=2')).toEqual({
      oid: ['a b', '2'],
      data: '{"task":"a+b&c"}',
      action: 'task x',
    });
  });

  test('data may come first, or alone', () => {
    expect(fields('data={"a":"1&2"}&action=list')).toEqual({ data: '{"a":"1&2"}', action: 'list' });
    expect(fields('data={}')).toEqual({ data: '{}' });
  });

  test('a line end after the last brace does no harm', () => {
    expect(dataOf('action=list&data={"a":1}\r\n')).toEqual({ a: 1 });
  });

  test('what follows the last brace is kept, so that the JSON is seen to be bad', () => {
    expect(fields('data={"a":1}junk&action=list')).toEqual({ data: '{"a":1}junk', action: 'list' });
  });

  test('without a closing brace the value runs to the end', () => {
    expect(fields('action=list&data={"a"&b=1')).toEqual({ action: 'list', data: '{"a"&b=1' });
  });
});

describe('an encoded body', () => {
  test.each<[string, object]>([
    ['', {}],
    ['oid=1&action=list', { oid: '1', action: 'list' }],
    ['data=%7B%22task%22%3A%22a%2Bb+c%2541%22%7D', { data: '{"task":"a+b c%41"}' }],
    ['data=+{}', { data: ' {}' }],
    ['mydata={a+b&c=d', { mydata: '{a b', c: 'd' }],
    ['tags=a&tags=b&tags=c', { tags: ['a', 'b', 'c'] }],
    ['oid&x=', { oid: '', x: '' }],
    ['x=100%&y=%zz', { x: '100%', y: '%zz' }],
    ['__proto__=1&constructor=2', JSON.parse('{"__proto__":"1","constructor":"2"}')],
  ])('%s', (body, expected) => {
    expect(Object.entries(parseForm(body))).toEqual(Object.entries(expected));
  });

  test('whatever is encoded by the standard comes back', () => {
    const text = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(text, text, (oid, data) => {
        const body = new URLSearchParams({ oid, data }).toString();
        expect(fields(body)).toEqual({ oid: oid.toWellFormed(), data: data.toWellFormed() });
      }),
    );
  });

  test('a text that is valid is read as the standard reads it', () => {
    const unit = fc.constantFrom('x', '=', '&', '+', '%41', '%', '%2', '%C3%A9', '%zz', ';');
    fc.assert(
      fc.property(fc.string({ unit }), (body) => {
        const standard = new URLSearchParams(body.replace(/^\?/, ''));
        for (const name of standard.keys()) expect([parseForm(body)[name]].flat()).toEqual(standard.getAll(name));
      }),
    );
  });

  test.each(['x=%FF', 'x=a%C3%28', '%ED%A0%80=1', 'oid=1&data={}&x=%80'])('bytes that are no UTF-8: %s', (body) => {
    expect(() => parseForm(body)).toThrow(expect.objectContaining({ code: 'bad_request' }));
  });

  test('what JSON writes without a percent sign is typed unharmed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (task) => {
        const json = JSON.stringify({ task: task.replaceAll('%', '') });
        expect(parseForm(`oid=1&data=${json}`).data).toBe(json);
      }),
    );
  });
});

test('a form of more fields than any call takes is refused', () => {
  expect(Object.keys(parseForm(Array.from({ length: 20_000 }, (_, n) => `f${n}=`).join('&')))).toHaveLength(20_000);
  expect(() => parseForm('a&'.repeat(20_001))).toThrow(expect.objectContaining({ code: 'bad_request' }));
});

test.each<[string, string]>([
  ['bytes of characters', '%41'],
  ['bytes of no character', '%ff'],
  ['single bytes of characters', '%41a'],
  ['single bytes of no character', '%ffa'],
])('a body of a million %s is read in no time', (_name, unit) => {
  const begunMs = performance.now();
  expect(parseForm(`data={${unit.repeat(1_000_000)}}`).data).toHaveLength(
    unit.replaceAll('%41', 'A').length * 1_000_000 + 2,
  );
  // Each exception would cost microseconds: one a byte, and this takes ten seconds.
  expect(performance.now() - begunMs).toBeLessThan(3_000);
});
