/** Each operator, beyond the published cases. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileDetect } from '../../../src/rules/detect/compile-detect.ts';
import { OPERATORS } from '../../../src/rules/detect/operators/table.ts';
import { eventOf, faultOf, matches, verdict } from '../support.ts';

const e = 'event/V';
const of = (value: unknown) => eventOf({ V: value });

const TABLE: [string, Record<string, unknown>, ReturnType<typeof eventOf>, boolean][] = [
  ['a number is not its text', { op: 'is', path: e, value: '5' }, of(5), false],
  ['a boolean', { op: 'is', path: e, value: true }, of(true), true],
  ['a hexadecimal number', { op: 'is', path: 'routing/plat', value: 0x10000000 }, of(0), true],
  ['not over several values: none may be equal', { op: 'is', not: true, path: e, value: 'a' }, of(['b', 'a']), false],
  ['not: false does nothing', { op: 'is', not: false, path: e, value: 'a' }, of('a'), true],
  ['an element of a list at the end', { op: 'is', path: e, value: 'b' }, of(['a', 'b']), true],
  ['doubled and trailing slashes', { op: 'is', path: 'event//V/', value: 1 }, of(1), true],
  ['? is exactly one level', { op: 'is', path: 'event/?/X', value: 1 }, eventOf({ X: 1 }), false],
  ['? is not two levels', { op: 'is', path: 'event/?/X', value: 1 }, eventOf({ A: { B: { X: 1 } } }), false],
  ['* can be no level', { op: 'is', path: 'event/*/X', value: 1 }, eventOf({ X: 1 }), true],
  ['* goes through lists', { op: 'is', path: 'event/*/X', value: 1 }, eventOf({ A: [{ B: [[{ X: 1 }]] }] }), true],
  ['? takes elements', { op: 'is', path: 'event/V/?', value: 2 }, of([1, 2]), true],
  ['a step into a text', { op: 'exists', path: 'event/V/length' }, of('abc'), false],
  ['no step into inherited properties', { op: 'exists', path: 'event/constructor' }, of('abc'), false],
  ['the whole part', { op: 'exists', path: 'event' }, of(1), true],
  ['exists: an empty list', { op: 'exists', path: e }, of([]), true],
  ['truthy: null is absent', { op: 'exists', path: e, truthy: true }, of(null), false],
  ['truthy: 0 is present', { op: 'exists', path: e, truthy: true }, of(0), true],
  ['truthy: false is present', { op: 'exists', path: e, truthy: true }, of(false), true],
  ['contains: not often enough', { op: 'contains', path: e, value: 'ab', count: 3 }, of('abab'), false],
  [
    'contains: overlapping occurrences count once',
    { op: 'contains', path: e, value: 'aa', count: 2 },
    of('aaa'),
    false,
  ],
  ['contains: a number is not a text', { op: 'contains', path: e, value: '5' }, of(55), false],
  [
    'contains another value',
    { op: 'contains', path: 'event/C', value: '<<routing/hostname>>' },
    eventOf({ C: 'ping ws-01' }, { hostname: 'ws-01' }),
    true,
  ],
  ['another value, spelled with dots', { op: 'is', path: e, value: '<<routing.sid>>' }, of('sensor-1'), true],
  ['another value that is missing', { op: 'is', path: e, value: '<<event/NO>>' }, of('a'), false],
  ['a variable, which never has values', { op: 'is', path: e, value: '[[names]]' }, of('[[names]]'), false],
  ['starts with, case ignored', { op: 'starts with', path: e, value: 'AB', 'case sensitive': false }, of('abc'), true],
  ['lower, as numbers', { op: 'is lower than', path: e, value: 10 }, of(9), true],
  ['a text is not a number', { op: 'is greater than', path: e, value: 10 }, of('x'), false],
  ['length of a list', { op: 'is greater than', path: e, value: 1, 'length of': true }, of(['a', 'b']), true],
  ['length of characters, not units', { op: 'is greater than', path: e, value: 1, 'length of': true }, of('😀'), false],
  ['matches: case sensitive', { op: 'matches', path: e, re: 'ABC', 'case sensitive': true }, of('abc'), false],
  ['matches: . is not a line end', { op: 'matches', path: e, re: 'a.b' }, of('a\nb'), false],
  ['matches: (?s)', { op: 'matches', path: e, re: '(?s)a.b' }, of('a\nb'), true],
  ['matches: $ is the end of the text', { op: 'matches', path: e, re: 'a$' }, of('a\nb'), false],
  ['matches: both branches ignore case', { op: 'matches', path: e, re: 'x|ABC' }, of('abc'), true],
  ['matches: \\A and \\z', { op: 'matches', path: e, re: '\\Aa[[:alpha:]]\\z' }, of('ab'), true],
  ['distance to one text', { op: 'string distance', path: e, value: 'kitten', max: 3 }, of('sitting'), true],
  ['distance too far', { op: 'string distance', path: e, value: 'kitten', max: 2 }, of('sitting'), false],
  ['distance 0', { op: 'string distance', path: e, value: 'a', max: 0 }, of('a'), true],
  ['arm64 is 64 bit', { op: 'is 64 bit' }, eventOf({}, { arch: 4 }), true],
  ['arm64 is arm', { op: 'is arm' }, eventOf({}, { arch: 4 }), true],
  ['arm is not 32 bit', { op: 'is 32 bit' }, eventOf({}, { arch: 3 }), false],
  ['platform by its top byte', { op: 'is mac' }, eventOf({}, { plat: 0x30000007 }), true],
  ['platform by a signed number', { op: 'is platform', name: 'sophos' }, eventOf({}, { plat: 0xf0000000 | 0 }), true],
  ['platform, compared exactly', { op: 'is platform', name: 'Windows' }, of(0), false],
  ['a tag, exactly', { op: 'is tagged', tag: 'Production' }, of(0), false],
  ['cidr: another family', { op: 'cidr', path: e, cidr: '10.0.0.0/8' }, of('::1'), false],
  ['cidr: not an address', { op: 'cidr', path: e, cidr: '0.0.0.0/0' }, of('10.1'), false],
  ['cidr: odd bits', { op: 'cidr', path: e, cidr: '10.0.0.0/9' }, of('10.128.0.0'), false],
  ['private: shared space', { op: 'is private address', path: e }, of('100.127.255.255'), true],
  ['private: fd00', { op: 'is private address', path: e }, of('fd12::1'), true],
  ['private, other family', { op: 'is private ipv4 address', path: e }, of('fd12::1'), false],
  ['public, ipv6', { op: 'is public ipv6 address', path: e }, of('2001:4860:4860::8888'), true],
  ['public: not loopback', { op: 'is public address', path: e }, of('::1'), false],
  ['public: not link-local', { op: 'is public address', path: e }, of('169.254.1.1'), false],
  ['public: IPv4 written as IPv6', { op: 'is public ipv4 address', path: e }, of('::ffff:8.8.8.8'), true],
  ['older than: seconds', { op: 'is older than', path: e, seconds: 60 }, of(1_500_000_000), true],
  ['older than: not yet', { op: 'is older than', path: 'routing/event_time', seconds: 60 }, of(0), false],
  ['file name after a slash', { op: 'is', path: e, 'file name': true, value: 'c' }, of('/a/b/c'), true],
  ['sub domain 0:2', { op: 'is', path: e, 'sub domain': '0:2', value: 'aa.bb' }, of('aa.bb.cc.dd'), true],
  ['sub domain 1:', { op: 'is', path: e, 'sub domain': '1:', value: 'bb.cc.dd' }, of('aa.bb.cc.dd'), true],
  ['sub domain -1', { op: 'is', path: e, 'sub domain': '-1', value: 'dd' }, of('aa.bb.cc.dd'), true],
  ['sub domain as a number', { op: 'is', path: e, 'sub domain': 0, value: 'aa' }, of('aa.bb.cc.dd'), true],
  ['sub domain that is missing', { op: 'is', path: e, 'sub domain': '7', value: '' }, of('aa.bb'), false],
  ['inner event', { op: 'or', rules: [{ op: 'exists', path: 'event', event: 'OTHER' }] }, of(1), false],
  [
    'inner event is not inverted',
    { op: 'or', rules: [{ op: 'exists', path: 'event/NO', event: 'OTHER', not: true }] },
    of(1),
    false,
  ],
  ['the event filter is not inverted', { op: 'exists', path: 'event/NO', event: 'OTHER', not: true }, of(1), false],
  [
    'scope keeps routing',
    { op: 'scope', path: e, rule: { op: 'is', path: 'routing/sid', value: 'sensor-1' } },
    of({ a: 1 }),
    true,
  ],
  [
    'scope: nothing at the path',
    { op: 'scope', path: 'event/NO', rule: { op: 'exists', path: 'routing' } },
    of(1),
    false,
  ],
  [
    'times: inside',
    {
      op: 'exists',
      path: e,
      times: [{ day_of_week_start: 1, day_of_week_end: 1, time_of_day_start: 1200, time_of_day_end: 1300, tz: 'UTC' }],
    },
    of(1),
    true,
  ],
  [
    'times: outside in another zone',
    { op: 'exists', path: e, times: [{ time_of_day_start: 1200, time_of_day_end: 1300, tz: 'Asia/Tokyo' }] },
    of(1),
    false,
  ],
  [
    'times: over the end of the week',
    { op: 'exists', path: e, times: [{ day_of_week_start: 7, day_of_week_end: 2 }] },
    of(1),
    true,
  ],
];

describe('operators', () => {
  it('are all listed in docs/rules.md', () => {
    const page = readFileSync(new URL('../../../docs/rules.md', import.meta.url), 'utf8');
    const [, table = ''] = /^\| operator \|.*\n((?:\|.*\n)+)/m.exec(page) ?? [];
    const listed = table.split('\n').flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)]);
    expect(listed.map(([, name]) => name).toSorted()).toEqual([...OPERATORS.keys()].toSorted());
  });

  it.each(TABLE)('%s', (_name, rule, view, expected) => expect(matches(rule, view)).toBe(expected));

  it('an unknown lookup finds nothing and is an error', () => {
    const rule = { op: 'lookup', path: e, resource: 'hive://lookup/gone' };
    expect(verdict(rule, of('x'))).toEqual({ match: false, mtd: undefined, errors: ['There is no lookup "gone".'] });
  });

  it('a lookup gives metadata to templates, and can ignore the case of keys', () => {
    const rule = { op: 'lookup', path: e, resource: 'hive://lookup/l', 'case sensitive': false };
    expect(verdict(rule, of('evil.COM'), { l: { 'Evil.com': { source: 'feed' } } })).toMatchObject({
      match: true,
      mtd: { source: 'feed' },
    });
  });
});

describe('refusals have the path to the cause', () => {
  const deep = Array.from({ length: 70 }).reduce<unknown>((rule) => ({ op: 'or', rules: [rule] }), {
    op: 'is windows',
  });
  it.each([
    [{ op: 'was' }, 'detect/op'],
    [{ path: 'event/X' }, 'detect/op'],
    [{ op: 'and', rules: [] }, 'detect/rules'],
    [{ op: 'and', rules: [{ op: 'is windows' }, { op: 'is', path: 'event/X' }] }, 'detect/rules/1/value'],
    [{ op: 'is', value: 1 }, 'detect/path'],
    [{ op: 'matches', path: 'event/X', re: '(?=a)' }, 'detect/re'],
    [{ op: 'matches', path: 'event/X', re: '(a)\\1' }, 'detect/re'],
    [{ op: 'scope', path: 'event/X', rule: { op: 'cidr', path: 'event', cidr: '10.0.0.1' } }, 'detect/rule/cidr'],
    [{ op: 'is windows', 'with child': { op: 'is windows' } }, 'detect/with child'],
    [{ op: 'lookup', path: 'event/X', resource: 'lcr://api/vt' }, 'detect/resource'],
    [{ op: 'is windows', not: 'yes' }, 'detect/not'],
    [{ op: 'is windows', events: [1] }, 'detect/events/0'],
    [{ op: 'is windows', target: 'moon' }, 'detect/target'],
    [{ op: 'is windows', times: [{ tz: 'Nowhere/Town' }] }, 'detect/times/0/tz'],
    ['text', 'detect'],
    [null, 'detect'],
  ])('%j at %s', (rule, path) => expect(faultOf(() => compileDetect(rule))).toBe(path));

  it('operators that are nested too deeply', () =>
    expect(faultOf(() => compileDetect(deep))).toMatch(/^detect(\/rules\/0)+$/));
});
