import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SelectorSet } from '../../../src/selector/engine/selector-set.ts';
import { compileSelector } from '../../../src/selector/evaluate/compile.ts';
import { parseSelector } from '../../../src/selector/language/parse.ts';
import { sidOf, sidSelector, tagSelector } from '../../../src/selector/language/targets.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);

describe('a set of selectors', () => {
  it('holds one value for each id until it is deleted', () => {
    const set = new SelectorSet<number>();
    set.add('a', parseSelector('plat == linux'), 1);
    set.add('b', parseSelector('plat==linux'), 2);
    set.add('a', parseSelector('sid == "x"'), 3);
    expect(set.get('a')).toBe(3);
    expect(set.match({ plat: 'linux', sid: 'x' }).sort()).toEqual([2, 3]);
    expect(set.delete('a')).toBe(true);
    expect(set.delete('a')).toBe(false);
    expect(set.get('a')).toBeUndefined();
    expect([set.size, set.match({ plat: 'linux', sid: 'x' })]).toEqual([1, [2]]);
  });

  it('holds undefined as a value', () => {
    const set = new SelectorSet<undefined>();
    set.add('a', parseSelector('*'), undefined);
    expect([...set.values()]).toEqual([undefined]);
    expect(set.match({})).toEqual([undefined]);
  });
});

describe('selectors for one sensor or one tag', () => {
  it('can hold any text', () => {
    expect(sidSelector('sensor-123-abc')).toBe('sid == "sensor-123-abc"');
    expect(tagSelector('production')).toBe('"production" in tags');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(sidOf(parseSelector(sidSelector(text)))).toBe(text);
        expect(compileSelector(parseSelector(tagSelector(text)))({ tags: ['x', text] })).toBe(true);
        expect(compileSelector(parseSelector(tagSelector(text)))({ tags: [`${text}.`] })).toBe(false);
      }),
      { seed },
    );
  });

  it('are recognised in any notation, and nothing else is', () => {
    expect(sidOf(parseSelector("sid=='X'"))).toBe('X');
    expect(sidOf(parseSelector('("/sid" == X)'))).toBe('X');
    const others = [
      '*',
      'sid != "X"',
      'sid == "X" and plat == linux',
      'iid == "X"',
      '"X" in sid',
      'not sid == "X"',
      'sid.x == X',
    ];
    for (const text of others) expect(sidOf(parseSelector(text)), text).toBeUndefined();
  });
});
