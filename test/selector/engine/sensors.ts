/** fast-check arbitraries for the index: selectors and sensors made of few values, so that they often match. */
import fc from 'fast-check';
import { junction, negation, type SelectorAst } from '../../../src/selector/ast.ts';
import {
  COMPARISON_OPERATORS,
  COMPARISONS,
  type ComparisonOperator,
  STATE_OPERATORS,
} from '../../../src/selector/operators/table.ts';

const HOSTS = ['web-1', 'web-12', 'web', 'db-1', 'w', '7', 'true', ''];
const IPS = ['10.3.0.7', '10.3.1.9', '10.30.0.1', '1.0.3.1', ''];
const PLATFORMS = ['linux', 'windows', 'macos', '536870912', '4'];
const TAGS = ['a', 'b', 'c', '7', 'true', ''];
const CODES = ['536870912', '268435456', '-1', '2', '4', '0'];
const PATTERNS = [
  '^web-',
  '^web',
  '^web-1$',
  '^(web|db)-1',
  '^(?:web-|w)',
  '^web|db',
  '^we(b|)',
  '^w+e',
  '^we*b',
  '^web-[12]',
  '^',
  '^10\\.3\\.',
  '^10\\.3\\..*',
  '^10\\.3\\.[0-9]+\\.7$',
  '^1.0',
  '^10\\.(3|30)\\.',
  '^10\\.[0-4]',
  '^1(0\\.3)?\\.',
  'web',
  '1$',
  '(',
  '^(',
  '^web(',
  '^web)',
  '(?i)^WEB',
  '^(?i)WEB',
  '\\Aweb',
  '^web.*$',
  '^w[a-f-]',
  '^[9-0]',
  '^*web',
];

const text = fc.constantFrom(
  'sid',
  'hostname',
  'int_ip',
  'ext_ip',
  'plat',
  'arch',
  'ext_plat',
  'oid',
  'tags',
  'nosuch',
);
const word = fc.constantFrom(...HOSTS, ...IPS, ...PLATFORMS, ...TAGS, ...CODES);
const pattern = fc.constantFrom(...PATTERNS);
const operator = fc.oneof(
  { weight: 4, arbitrary: fc.constant('==' as const) },
  { weight: 5, arbitrary: fc.constantFrom(...COMPARISON_OPERATORS) },
);
/** Mostly false, so that selectors often require keys. */
const negated = fc.oneof({ weight: 2, arbitrary: fc.constant(false) }, fc.constant(true));

const comparison = (path: string, operator: ComparisonOperator, negated: boolean, value: string): SelectorAst => ({
  type: 'comparison',
  column: 1,
  path: [path],
  operator,
  negated,
  value,
  pathColumn: 1,
  valueColumn: 1,
});
const fieldClause = fc
  .tuple(text, operator, negated, word, pattern)
  .map(([field, op, not, value, regex]) =>
    comparison(field, op, not, COMPARISONS[op].valueIs === 'regex' ? regex : value),
  );
const tagClause = fc.tuple(negated, fc.constantFrom(...TAGS)).map(([not, tag]) => comparison('tags', 'in', not, tag));
const stateClause = fc
  .tuple(text, fc.constantFrom(...STATE_OPERATORS), fc.boolean())
  .map(([field, op, not]): SelectorAst => ({ type: 'state', column: 1, path: [field], operator: op, negated: not }));
const itemClause = fc
  .tuple(fc.constantFrom('any', 'all' as const), operator, negated, fc.constantFrom(...TAGS), fc.boolean())
  .map(([quantifier, op, negatedOperator, value, not]): SelectorAst => {
    const clause = comparison('sid', op, negatedOperator, value);
    return {
      type: 'collection',
      column: 1,
      pathColumn: 1,
      quantifier,
      path: ['tags'],
      binding: { default: 'sid' },
      operand: not ? negation(clause) : clause,
    };
  });

export const sensorSelectors: fc.Arbitrary<SelectorAst> = fc.letrec<{ tree: SelectorAst }>((tie) => {
  const several = fc.array(tie('tree'), { minLength: 2, maxLength: 4, depthIdentifier: 'tree' });
  return {
    tree: fc.oneof(
      { depthSize: 'small', depthIdentifier: 'tree', withCrossShrink: true },
      { weight: 4, arbitrary: fieldClause },
      { weight: 3, arbitrary: tagClause },
      stateClause,
      itemClause,
      { weight: 4, arbitrary: several.map((operands) => junction('and', operands)) },
      { weight: 4, arbitrary: several.map((operands) => junction('or', operands)) },
      { weight: 2, arbitrary: tie('tree').map(negation) },
    ),
  };
}).tree;

const usual = fc.record(
  {
    sid: fc.constantFrom('a', 'b', 'web-1'),
    oid: fc.constantFrom('a', 'b'),
    hostname: fc.constantFrom(...HOSTS),
    int_ip: fc.constantFrom(...IPS),
    ext_ip: fc.constantFrom(...IPS),
    plat: fc.constantFrom(...PLATFORMS),
    ext_plat: fc.constantFrom(...PLATFORMS),
    arch: fc.constantFrom('x64', 'arm64', '4'),
    tags: fc.array(fc.constantFrom(...TAGS), { maxLength: 3 }),
  },
  { requiredKeys: [], noNullPrototype: true },
);
const odd = fc.constantFrom<unknown>(null, 7, true, 536870912, 4, ['a'], [7, 'a'], [null, 'a'], { a: 1 }, 'web-1', []);

/** Mostly like sensors, sometimes without a fact, sometimes with values of types that no sensor has. */
export const sensorRecords = fc.oneof(
  { weight: 3, arbitrary: usual },
  fc.tuple(usual, fc.dictionary(text, odd, { maxKeys: 2 })).map(([record, change]) => ({ ...record, ...change })),
);
