import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DELIVERY_LETTERS, luaConstants, nameOf } from '../../../src/edges/redis/layout.ts';
import { loadScripts } from '../../../src/edges/redis/scripts.ts';

const FOLDER = new URL('../../../src/edges/redis/scripts/', import.meta.url).pathname;
const sources = globSync('**/*.lua', { cwd: FOLDER }).map((path) => ({
  path,
  text: readFileSync(`${FOLDER}${path}`, 'utf8'),
}));
const codeOf = (text: string) => text.replace(/--.*$/gm, '');

describe('the Lua scripts', () => {
  it.each(sources.filter(({ path }) => path !== 'prelude.lua'))(
    '$path names its keys, arguments and answer first',
    ({ text }) => {
      const [header = ''] = text.split(/^(?:--$|[^-])/m);
      expect(header).toMatch(/^-- KEYS .+\sARGV .+\s-> ./s);
      const [line] = codeOf(text)
        .split('\n')
        .filter((one) => one.trim() !== '');
      // Its own arguments have names; ARGV[1] alone is the epoch of every script.
      if (!/ARGV (none|epoch {3})/.test(header))
        expect(line).toMatch(/^local [\w, ]+ = unpack\(ARGV, 1, \d\)$|unpack\(ARGV\)$/);
    },
  );

  it('use no undefined constant', () => {
    for (const { path, text } of sources) {
      const used = codeOf(text).match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? [];
      const own = [...text.matchAll(/^local ([A-Z]+_[A-Z]+) =/gm)].map(([, name]) => name);
      expect(
        used.filter((name) => !luaConstants.has(name) && !own.includes(name)),
        path,
      ).toEqual([]);
    }
  });

  it('hold no letter or word of the layout themselves', () => {
    const held = new Set([...luaConstants.values()].filter((value) => !/^[-\d=]$/.test(value)));
    for (const { path, text } of sources) {
      const literals = [...codeOf(text).matchAll(/'([^']*)'/g)].map(([, literal]) => literal as string);
      expect(
        literals.filter((literal) => held.has(literal)),
        path,
      ).toEqual([]);
    }
  });

  it('are known by their file names, each once', () => {
    expect(loadScripts().size).toBe(sources.length - 1);
  });
});

it('refuses a letter of Redis that it does not know', () => {
  expect(nameOf(DELIVERY_LETTERS, 'f')).toBe('failed');
  expect(() => nameOf(DELIVERY_LETTERS, 'z')).toThrow('Redis holds "z", which is none of s d f r');
});
