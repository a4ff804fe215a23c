/** fast-check arbitraries of trees, texts and records for property tests of selectors. */
import fc from 'fast-check';
import { junction, negation, type SelectorAst } from '../../src/selector/ast.ts';
import { COMPARISON_OPERATORS, STATE_OPERATORS } from '../../src/selector/operators/table.ts';

const name = fc.constantFrom('plat', 'hostname', 'tags', 'alive', 'kernel', 'did', 'nosuch', 'not', 'in', 'any', 'or');
const odd = fc.constantFrom(
  '0',
  '01',
  'sp ace',
  '',
  'a/b',
  't~n',
  "it's",
  'quo"te',
  'back\\slash',
  'line\nbreak',
  '日本',
);
const path = fc.oneof(
  { weight: 6, arbitrary: name.map((one) => [one]) },
  { weight: 2, arbitrary: fc.tuple(name, fc.array(fc.oneof(name, odd), { maxLength: 3 })).map(([a, b]) => [a, ...b]) },
  fc.array(fc.constantFrom('1st', 'a/b', 't~n', '日本', 'x.y'), { minLength: 1, maxLength: 3 }),
);
const value = fc.oneof(
  fc.constantFrom(
    'linux',
    'web',
    '',
    '/prod',
    '7',
    '1.5',
    'true',
    "it's",
    '"',
    '`',
    '\\',
    '(',
    '^web',
    '\udcff',
    '\udcc3é',
  ),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
);
const operator = fc.constantFrom(...COMPARISON_OPERATORS);
const state = fc.constantFrom(...STATE_OPERATORS);
const negated = fc.boolean();
const binding = fc.oneof(
  name.map((one) => ({ default: one })),
  name.map((item) => ({ item })),
  name.map((index) => ({ index })),
  fc.record({ index: name, item: name }),
);
const columns = { column: 1, pathColumn: 1, valueColumn: 1 };
const comparison = fc
  .record({ path, operator, negated, value })
  .map((parts): SelectorAst => ({ type: 'comparison', ...columns, ...parts }));
const stateClause = fc
  .record({ path, operator: state, negated })
  .map((parts): SelectorAst => ({ type: 'state', column: 1, ...parts }));

/** Trees with the invariants of the parser, so that printing and parsing must return the same tree. */
export const trees: fc.Arbitrary<SelectorAst> = fc.letrec<{ tree: SelectorAst }>((tie) => {
  const several = fc.array(tie('tree'), { minLength: 2, maxLength: 4, depthIdentifier: 'tree' });
  const collection = fc
    .record({ quantifier: fc.constantFrom('any', 'all' as const), path, binding, operand: tie('tree') })
    .map((parts): SelectorAst => ({ type: 'collection', column: 1, pathColumn: 1, ...parts }));
  return {
    tree: fc.oneof(
      { depthSize: 'small', depthIdentifier: 'tree', withCrossShrink: true },
      comparison,
      stateClause,
      several.map((operands) => junction('and', operands)),
      several.map((operands) => junction('or', operands)),
      tie('tree').map(negation),
      collection,
    ),
  };
}).tree;

/** Tokens of the language in any order. Such a text sometimes parses, and otherwise must fail with a SelectorError. */
export const jumbles: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom('and', 'or', 'not', 'in', 'is', 'any', 'all', 'as', 'empty', 'nil', 'contains', 'matches', 'AND'),
      fc.constantFrom(
        '==',
        '!=',
        '(',
        ')',
        '{',
        '}',
        '[',
        ']',
        '"',
        "'",
        '`',
        ',',
        '.',
        '*',
        '-',
        '_',
        '/',
        '\\',
        '\n',
      ),
      fc.constantFrom('plat', 'tags', 't', '"/tags/0"', "'x'", '`x`', '"x"', '7', '-1.5', '(((', 'not not ', '\ud800'),
    ),
    { maxLength: 24 },
  )
  .chain((parts) => fc.constantFrom(' ', '').map((space) => parts.join(space)));

/** Any JSON values under names that selectors read. */
export const records = fc.dictionary(name, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 8 });

/** Removes the columns from a tree. */
export function withoutColumns(node: SelectorAst): unknown {
  return JSON.parse(JSON.stringify(node, (key, part) => (/column$/i.test(key) ? undefined : part)));
}
