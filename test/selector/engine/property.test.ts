/** The index finds the same selectors as a scan, for any selectors and sensors, after any additions and removals. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SelectorAst } from '../../../src/selector/ast.ts';
import { SelectorSet } from '../../../src/selector/engine/selector-set.ts';
import { withoutNot } from '../../../src/selector/engine/without-not.ts';
import { compileSelector } from '../../../src/selector/evaluate/compile.ts';
import type { SelectorRecord } from '../../../src/selector/predicate.ts';
import { records, trees } from '../expressions.ts';
import { sensorRecords, sensorSelectors } from './sensors.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);

const RUNS = Number(process.env.FC_RUNS ?? 300);

type Step = readonly [id: number, ast: SelectorAst | null];

/** Adds, replaces and deletes selectors in a set and in a map. */
function play(set: SelectorSet<number>, plain: Map<number, SelectorAst>, steps: readonly Step[]): void {
  for (const [id, ast] of steps) {
    if (ast === null) expect(set.delete(String(id))).toBe(plain.delete(id));
    else {
      set.add(String(id), ast, id);
      plain.set(id, ast);
    }
  }
}

function compare(set: SelectorSet<number>, plain: Map<number, SelectorAst>, record: SelectorRecord): void {
  const due = [...plain].flatMap(([id, ast]) => (compileSelector(ast)(record) === true ? [id] : [])).sort();
  expect(set.match(record).sort()).toEqual(due);
  const groups = set.matchGroups(record);
  expect(groups.flatMap((group) => [...group]).sort()).toEqual(due);
  expect(groups.reduce((sum, { size }) => sum + size, 0)).toBe(due.length);
}

it(`moving not inwards changes no verdict (seed ${seed})`, () => {
  fc.assert(
    fc.property(fc.oneof(sensorSelectors, trees), fc.oneof(sensorRecords, records), (tree, record) => {
      expect(compileSelector(withoutNot(tree))(record)).toBe(compileSelector(tree)(record));
    }),
    { seed, numRuns: RUNS * 5 },
  );
}, 60_000);

describe(`the index (seed ${seed})`, () => {
  const id = fc.nat({ max: 19 });
  const selector = fc.oneof({ weight: 6, arbitrary: sensorSelectors }, trees);
  const steps = fc.array(
    fc.tuple(id, fc.option(selector, { freq: 4 })).map((step): Step => step),
    { maxLength: 40, size: 'max' },
  );
  const sensors = fc.array(fc.oneof({ weight: 6, arbitrary: sensorRecords }, records), { minLength: 1, maxLength: 4 });

  it('finds the same as a scan, after any additions, replacements and removals', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(steps, sensors), { minLength: 1, maxLength: 3 }), (rounds) => {
        const set = new SelectorSet<number>();
        const plain = new Map<number, SelectorAst>();
        for (const [some, matched] of rounds) {
          play(set, plain, some);
          expect([set.size, [...set.values()].sort()]).toEqual([plain.size, [...plain.keys()].sort()]);
          for (const record of matched) compare(set, plain, record);
        }
        play(
          set,
          plain,
          [...plain.keys()].map((one): Step => [one, null]),
        );
        expect(set.isEmpty).toBe(true);
        for (const record of rounds.flatMap(([, matched]) => matched)) compare(set, plain, record);
      }),
      { seed, numRuns: RUNS },
    );
  }, 60_000);
});
