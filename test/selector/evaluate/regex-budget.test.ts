/** Texts and patterns of permitted lengths that are chosen to cost time. The tests compare counted work, not time. */
import { describe, expect, it } from 'vitest';
import { SELECTOR_BOUNDS } from '../../../src/selector/bounds.ts';
import { SelectorSet } from '../../../src/selector/engine/selector-set.ts';
import { compileSelector } from '../../../src/selector/evaluate/compile.ts';
import { evaluateSelector } from '../../../src/selector/evaluate/evaluate.ts';
import { explainSelector } from '../../../src/selector/evaluate/explain.ts';
import { parseSelector } from '../../../src/selector/language/parse.ts';
import { SLICE_WORK, Slices } from '../../../src/selector/slices.ts';
import { work } from '../../../src/selector/work-counter.ts';

const COSTLY = 'hostname matches "[xyz]*x[xyz]{900}z"';
/** Not periodic, and without the last character that the pattern requires. */
const textOf = (length: number): string => {
  let seed = 7;
  let text = 'z';
  while (text.length < length) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    text += seed & 0x10000 ? 'x' : 'y';
  }
  return text;
};
const sensorOf = (fields: object) => ({ sid: 's', oid: 'o', plat: 'linux', tags: [] as string[], ...fields });
const spentBy = (run: () => unknown): number => {
  const before = work.spent;
  run();
  return work.spent - before;
};

describe('a selector on one sensor', () => {
  it('is an error if a text is too long for its regular expression, and costs nothing', () => {
    const ast = parseSelector(COSTLY);
    const sensor = sensorOf({ hostname: textOf(250_000) });
    const matches = compileSelector(ast);
    expect(matches(sensor)).toBe('error');
    expect(spentBy(() => matches(sensor))).toBe(0);
    expect(compileSelector(parseSelector(`not ${COSTLY}`))(sensor)).toBe('error');
    const { result, clauses } = explainSelector(ast, sensor);
    expect([result, clauses[0]?.result]).toEqual(['error', 'error']);
    expect(clauses[0]?.reason).toMatch(/compile to \d+ steps, so each may read at most \d+ characters of a sensor/);
    expect(explainSelector(ast, sensorOf({})).clauses[0]).not.toHaveProperty('reason');
    const evaluated = evaluateSelector(COSTLY, [sensor, sensorOf({ hostname: 'web' })]);
    expect(evaluated).toMatchObject({ results: ['e', 0], reason: clauses[0]?.reason });
  });

  it('is explained quickly, however many regular expressions it has', () => {
    const text = Array.from({ length: 250 }, (_, i) => `hostname matches "x${i}+y"`).join(' or ');
    const [ast, sensor] = [parseSelector(text), sensorOf({ hostname: textOf(1_000) })];
    explainSelector(ast, sensor); // compiled once
    const before = performance.now();
    expect(explainSelector(ast, sensor).clauses).toHaveLength(250);
    new SelectorSet<number>().add('a', ast, 1);
    expect(performance.now() - before).toBeLessThan(1_000);
  });

  it('is evaluated on the longest permitted host name', () => {
    expect(compileSelector(parseSelector(COSTLY))(sensorOf({ hostname: `${'x'.repeat(1_023)}z` }))).toBe(true);
  });

  it.each([
    [
      'many regular expressions',
      Array.from({ length: 40 }, (_, i) => `hostname matches "x[xy]{${200 + i}}z"`).join(' or '),
    ],
    ['many tags', 'any tags as t { t matches "[xy]*x[xy]{900}z" }'],
    ['many any', Array.from({ length: 150 }, (_, i) => `(any tags as t { t matches "x.{${i + 1}}z" })`).join(' or ')],
    ['any in any', 'any tags as t { any tags as u { u matches "x[xy]{50}z" } }'],
    [
      'clauses on items',
      `any tags as t { any tags as u { ${Array.from({ length: 400 }, (_, i) => `u == n${i}`).join(' or ')} } }`,
    ],
  ])('stays within its bounds: %s', (_name, text) => {
    const tags = Array.from({ length: 1_000 }, (_, i) => textOf(200 + (i % 50)));
    const sensor = sensorOf({ hostname: textOf(1_024), tags });
    const { regexWork, itemClauses } = SELECTOR_BOUNDS;
    const matches = compileSelector(parseSelector(text));
    matches(sensor); // compiling is work, too
    const spent = spentBy(() => matches(sensor));
    expect(spent).toBeLessThan(regexWork + itemClauses + 1_000);
  });

  it('has the same limit in any order of evaluation, so that an index and a scan agree', () => {
    const set = new SelectorSet<string>();
    const regexes = ['x[xy]{300}z', 'y[xy]{700}z', '[xy]*x[xy]{500}z', 'z$'].map((one) => `hostname matches "${one}"`);
    const texts = [
      ...regexes,
      ...regexes.flatMap((one) => regexes.map((other) => `${one} or ${other}`)),
      ...regexes.map((one) => `plat == linux and (not ${one} or ${regexes[3]})`),
      ...regexes.map((one) => `any tags as t { t == a or ${one} }`),
    ];
    for (const [i, text] of texts.entries()) set.add(`${i}`, parseSelector(text), text);
    const answers = new Set<unknown>();
    for (const length of [10, 400, 800, 900, 1_024, 2_000, 5_000, 200_000]) {
      const sensor = sensorOf({ hostname: `${textOf(length - 1)}z`, tags: ['a', 'b'] });
      const scanned = texts.filter((text) => {
        const verdict = compileSelector(parseSelector(text))(sensor);
        answers.add(verdict);
        return verdict === true;
      });
      expect(set.match(sensor).toSorted()).toEqual(scanned.toSorted());
    }
    expect(answers).toEqual(new Set([true, false, 'error']));
  });
});

describe('one sensor on many selectors', () => {
  const set = new SelectorSet<number>();
  for (let i = 0; i < 40; i += 1) set.add(`c${i}`, parseSelector(`hostname matches "[xy]*x[xy]{${400 + i}}z"`), i);
  set.add('all', parseSelector('*'), 100);
  set.add('web', parseSelector('hostname matches "^z" and plat == linux'), 101);
  const sensor = sensorOf({ hostname: `${textOf(1_000)}z` });
  const { regexWork } = SELECTOR_BOUNDS;

  it('is evaluated up to the work limit, and the rest is returned', () => {
    const all = set.match(sensor);
    for (const most of [0, 1, regexWork, 3 * regexWork]) {
      let found: ReturnType<typeof set.matchWithin> | undefined;
      expect(spentBy(() => (found = set.matchWithin(sensor, most)))).toBeLessThan(most + regexWork);
      const { matched, left } = found as NonNullable<typeof found>;
      expect(left.length).toBeGreaterThan(0);
      expect(matched).toContain(100);
      const later = left.filter((group) => group.selects(sensor)).flatMap((group) => [...group]);
      expect([...matched, ...later].toSorted()).toEqual(all.toSorted());
    }
  });

  it('lets other work run, and finds the same selectors', async () => {
    let [since, longest, turns] = [work.spent, 0, 0];
    const slices = new Slices(async () => {
      longest = Math.max(longest, work.spent - since);
      since = work.spent;
      turns += 1;
    });
    expect((await set.matchInSlices(sensor, slices)).toSorted()).toEqual(set.match(sensor).toSorted());
    expect(turns).toBeGreaterThan(10);
    expect(longest).toBeLessThan(SLICE_WORK + 2 * regexWork);
  });
});
