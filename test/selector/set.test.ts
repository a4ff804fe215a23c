import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compileSelector,
  parseSelector,
  SelectorSet,
  sidOf,
  sidSelector,
  tagSelector,
} from '../../src/selector/index.ts';
import { records, trees } from './expressions.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
const selectors = fc.oneof(
  trees,
  fc.constantFrom('*', 'plat == linux', '"vip" in tags', 'sid == "a"', 'sid == "b"').map(parseSelector),
);
const sensors = fc.record(
  { sid: fc.constantFrom('a', 'b', 'c'), tags: fc.constant(['vip']) },
  { noNullPrototype: true },
);

describe(`a set of selectors (seed ${seed})`, () => {
  it('finds what evaluating each selector would find, while some come and some go', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('1', '2', '3', '4', '5'), fc.option(selectors)), { maxLength: 12 });
    fc.assert(
      fc.property(steps, records, sensors, (all, facts, sensor) => {
        const set = new SelectorSet<string>();
        const plain = new Map<string, (typeof all)[number][1]>();
        for (const [id, ast] of all) {
          if (ast === null) expect(set.delete(id)).toBe(plain.delete(id));
          else {
            set.add(id, ast, `value ${id}`);
            plain.set(id, ast);
          }
        }
        const record = { ...facts, ...sensor };
        const due = [...plain].filter(([, ast]) => ast && compileSelector(ast)(record) === true);
        expect(set.match(record).sort()).toEqual(due.map(([id]) => `value ${id}`).sort());
        expect([...set.values()].sort()).toEqual([...plain.keys()].map((id) => `value ${id}`).sort());
        expect(set.size).toBe(plain.size);
      }),
      { seed, numRuns: 500 },
    );
  });

  it('keeps one value an id, and forgets it when told to', () => {
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

  it('holds values that are undefined like any other', () => {
    const set = new SelectorSet<undefined>();
    set.add('a', parseSelector('*'), undefined);
    expect([...set.values()]).toEqual([undefined]);
    expect(set.match({})).toEqual([undefined]);
  });
});

describe('selectors for one sensor or one tag', () => {
  it('are written so that any text comes back as it was', () => {
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

  it('are recognised however they are written, and nothing else is', () => {
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
