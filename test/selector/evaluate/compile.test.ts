import { describe, expect, it } from 'vitest';
import { compileSelector } from '../../../src/selector/evaluate/compile.ts';
import { parseSelector } from '../../../src/selector/language/parse.ts';
import type { SelectorRecord, Verdict } from '../../../src/selector/predicate.ts';

const verdict = (text: string, record: SelectorRecord): Verdict => compileSelector(parseSelector(text))(record);

describe('the examples of the API page', () => {
  const linux = { sid: 'sensor-123-abc', plat: 'linux', tags: ['production'], int_ip: '10.3.0.7' };

  it.each([
    ['plat==windows', false],
    ["sid=='sensor-123-abc'", true],
    ['plat==linux and production in tags', true],
    ["plat==linux and int_ip matches '^10\\.3\\..*'", true],
    ["plat==linux and int_ip matches '^10\\.4\\..*'", false],
  ])('%s', (text, expected) => {
    expect(verdict(text, linux)).toBe(expected);
  });
});

describe('codes of platforms and architectures', () => {
  const sensor = { plat: 'windows', ext_plat: '12345', arch: 'x64', hostname: '268435456' };

  it.each([
    ['plat == 268435456', true],
    ['plat == "268435456"', true],
    ['plat != 268435456', false],
    ['plat == 536870912', false],
    ['plat == windows', true],
    ['ext_plat == 12345', true],
    ['ext_plat == 268435456', false],
    ['arch == 2', true],
    ['arch != 2', false],
    ['arch == 1', false],
    ['hostname == 268435456', true],
    ['plat matches "268435456"', false],
  ])('%s', (text, expected) => {
    expect(verdict(text, sensor)).toBe(expected);
  });

  it('can be signed or unsigned', () => {
    expect(verdict('plat == -268435456', { plat: 'sophos' })).toBe(true);
    expect(verdict('plat == 4026531840', { plat: 'sophos' })).toBe(true);
  });
});

describe('strings', () => {
  it.each([
    ["hostname == 'it\\'s'", "it's"],
    ["hostname == 'a\\\\b'", 'a\\b'],
    ["hostname == 'a\\.b'", 'a\\.b'],
    ['hostname == \'say "hi"\'', 'say "hi"'],
    ['hostname == "\\x22\\u00e9\\U0001F4BB\\101\\a"', '"é💻A\x07'],
    ['hostname == "b\\xc3\\xbcro"', 'büro'],
    ['hostname == `C:\\temp\r`', 'C:\\temp'],
  ])('%s', (text, hostname) => {
    expect(verdict(text, { hostname })).toBe(true);
    expect(verdict(text, { hostname: `${hostname}.` })).toBe(false);
  });

  it('are compared as bytes: half a character is in a text but equals none', () => {
    expect(verdict('"\\xc3" in hostname', { hostname: 'büro' })).toBe(true);
    expect(verdict('"\\xc4" in hostname', { hostname: 'büro' })).toBe(false);
    expect(verdict('hostname == "\\xc3"', { hostname: 'Ã' })).toBe(false);
    expect(verdict('hostname matches "\\xc3"', { hostname: 'büro' })).toBe('error');
  });
});

describe('records of any kind', () => {
  it('read only own keys of a record', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(verdict(`"/${name}" is not nil`, {})).toBe('error');
      expect(verdict(`${name.replaceAll('_', 'x')} == a`, {})).toBe('error');
      expect(verdict(`meta.labels["${name}"] == a`, { meta: { labels: {} } })).toBe(false);
      expect(verdict(`"${name}" in meta`, { meta: {} })).toBe(false);
    }
  });

  it('give an error for a missing field with any operator, unless evaluation stops before', () => {
    for (const clause of ['== a', '!= a', 'is empty', 'is nil', 'is not nil', 'contains a', 'not matches a']) {
      expect(verdict(`did ${clause}`, {})).toBe('error');
      expect(verdict(`not did ${clause}`, {})).toBe('error');
      expect(verdict(`plat == linux or did ${clause}`, { plat: 'linux' })).toBe(true);
      expect(verdict(`plat == windows and did ${clause}`, { plat: 'linux' })).toBe(false);
    }
  });

  it('give an index as a whole number and a key as text', () => {
    expect(verdict('any tags as i, t { i == "0x1" and t == b }', { tags: ['a', 'b'] })).toBe(true);
    expect(verdict('any tags as i, t { i == 1.0 }', { tags: ['a'] })).toBe('error');
    expect(verdict('any meta as k { k == x }', { meta: { x: 1 } })).toBe(true);
  });

  it('do not affect each other through the items of any and all', () => {
    const predicate = compileSelector(parseSelector('any tags as t { t == b }'));
    expect([{ tags: ['a', 'b'] }, { tags: ['a'] }, { tags: [] }].map(predicate)).toEqual([true, false, false]);
  });

  it('give an error soon if nested loops visit too many items', () => {
    const loops = 'abcdef'.split('').map((name) => `any tags as ${name} {`);
    const text = `${loops.join(' ')} a == nothing ${'}'.repeat(loops.length)}`;
    const tags = Array.from({ length: 100 }, (_, i) => `t${i}`);
    const started = performance.now();
    expect(verdict(text, { tags })).toBe('error');
    expect(performance.now() - started).toBeLessThan(2000);
    expect(verdict('any tags as a { any tags as b { a == nothing } }', { tags })).toBe(false);
  });

  it('are matched in linear time', () => {
    const hostname = 'x'.repeat(50_000);
    const started = performance.now();
    expect(verdict("hostname matches '(x+x+)+y'", { hostname })).toBe(false);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
