import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyTable } from '../../../src/selector/engine/key-table.ts';
import type { KeyReader } from '../../../src/selector/engine/record-keys.ts';
import type { Key } from '../../../src/selector/operators/keys.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);

type Entry = { text: string; keyReader: KeyReader };

function added(table: KeyTable<Entry>, key: Key): Entry {
  const entry = { text: key.text, keyReader: table.keyReaderOf(key) };
  table.add(entry);
  return entry;
}

describe(`a table of keys (seed ${seed})`, () => {
  const text = fc.oneof(fc.nat({ max: 99 }).map(String), fc.constantFrom('', 'é', '💻', 'a'.repeat(300)));
  const key = fc.record({
    kind: fc.constantFrom('equal', 'start' as const),
    field: fc.constantFrom('sid', 'hostname' as const),
    text,
  });

  it('contains exactly the added keys that were not deleted, while it grows and shrinks', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.boolean()), { maxLength: 400, size: 'max' }), (steps) => {
        const table = new KeyTable<Entry>();
        const plain = new Map<string, Entry>();
        const name = ({ kind, field, text }: Key) => `${kind} ${field} ${text}`;
        for (const [one, take] of steps) {
          const known = plain.get(name(one));
          expect(table.get(one)).toBe(known);
          if (known === undefined) plain.set(name(one), added(table, one));
          else if (take) {
            table.delete(known);
            plain.delete(name(one));
          }
        }
        expect(table.size).toBe(plain.size);
        for (const [one] of steps) expect(table.get(one)).toBe(plain.get(name(one)));
        for (const [, entry] of plain) table.delete(entry);
        expect(table.size).toBe(0);
      }),
      { seed, numRuns: 50 },
    );
  }, 30_000);

  it('finds only the texts, prefixes and items of a record', () => {
    const table = new KeyTable<Entry>();
    const keys: Key[] = [
      { kind: 'equal', field: 'hostname', text: 'web-1' },
      { kind: 'equal', field: 'sid', text: 'web-1' },
      { kind: 'start', field: 'hostname', text: 'we' },
      { kind: 'start', field: 'hostname', text: 'web-1' },
      { kind: 'start', field: 'hostname', text: 'web-12' },
      { kind: 'item', field: 'tags', text: 'a' },
      { kind: 'item', field: 'tags', text: 'b' },
    ];
    const entries = keys.map((one) => added(table, one));
    const found = (record: object) => {
      const all: Entry[] = [];
      return [table.find({ ...record }, all), all.map((entry) => entries.indexOf(entry)).sort()];
    };
    expect(found({ hostname: 'web-1', tags: ['x', 'b'] })).toEqual([true, [0, 2, 3, 6]]);
    expect(found({ sid: 'web-1', hostname: 'w', tags: null })).toEqual([true, [1]]);
    expect(found({})).toEqual([true, []]);
    expect(found({ hostname: 7 })).toEqual([false, []]);
    expect(found({ tags: 'a' })).toEqual([false, []]);
    expect(found({ tags: ['a', 7] })).toEqual([false, []]);
    table.delete(entries[2] as Entry);
    expect(found({ hostname: 'web-12' })).toEqual([true, [3, 4]]);
  });
});
