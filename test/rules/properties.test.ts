/** For any JSON, a rule is refused with a RuleError or gives a result, in a short time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWithin } from '../../src/rules/detect/operators/distance.ts';
import { OPERATORS } from '../../src/rules/detect/operators/table.ts';
import { RuleError, RuleFault } from '../../src/rules/errors.ts';
import { compileRule } from '../../src/rules/rule.ts';
import { parseRuleText } from '../../src/rules/rule-text.ts';
import { parseTemplate } from '../../src/rules/template/parse.ts';
import { render } from '../../src/rules/template/render.ts';
import { verdict } from './support.ts';

// A failure prints its seed. Set it here or in the environment to repeat the run.
const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
const runs = { seed, numRuns: 500 };

const keys = fc.constantFrom('A', 'B', 'LIST', 'event_type', 'tags', 'plat', '__proto__', 'constructor');
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(null, true, false, 0, -1, 1e300, '', 'abc', '10.0.0.1', 'a.b.c', 'C:\\x\\y'),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(keys, tie('json'), { maxKeys: 4 }),
  ),
}));
const paths = fc
  .array(fc.constantFrom('event', 'routing', '?', '*', 'A', 'B', 'LIST', ''), { minLength: 1, maxLength: 6 })
  .map((segments) => segments.join('/'));
const parameters = fc.record(
  {
    path: paths,
    value: fc.oneof(json, fc.constantFrom('<<event/A>>', '[[v]]', 5)),
    re: fc.constantFrom('a', '(a|b)*c', '(', '[[:alpha:]]+$', '(a?){30}b'),
    cidr: fc.constantFrom('10.0.0.0/8', '::/0', 'x'),
    max: fc.nat(5),
    seconds: fc.nat(),
    tag: fc.constant('t'),
    name: fc.constant('windows'),
    resource: fc.constant('hive://lookup/l'),
    not: fc.boolean(),
    'case sensitive': fc.boolean(),
    'length of': fc.boolean(),
    'file name': fc.boolean(),
    'sub domain': fc.constantFrom(':', '-2:', '0:1', 3),
    event: fc.constantFrom('RECEIPT', 'A'),
  },
  { requiredKeys: ['path', 'value', 're', 'cidr', 'max', 'seconds', 'tag', 'name', 'resource'] },
);
const { rule } = fc.letrec<{ rule: Record<string, unknown> }>((tie) => ({
  rule: fc.oneof(
    { maxDepth: 4 },
    parameters.map((rest) => ({ ...rest, op: 'is' })),
    fc
      .tuple(fc.constantFrom('and', 'or', 'scope'), parameters, fc.array(tie('rule'), { minLength: 1, maxLength: 3 }))
      .map(([op, rest, rules]) => ({ ...rest, op, rules, rule: rules[0] })),
  ),
}));
const shallow = fc
  .tuple(fc.constantFrom(...OPERATORS.keys()), parameters)
  .map(([op, rest]) => ({ ...rest, op, rules: [{ ...rest, op: 'is' }], rule: { ...rest, op: 'exists' } }));

/** Null if the rule is refused. */
function compiled(data: unknown): ReturnType<typeof compileRule> | null {
  try {
    return compileRule(data);
  } catch (error) {
    expect(error).toBeInstanceOf(RuleError);
    expect((error as RuleError).path).toMatch(/^(detect|respond)/);
    return null;
  }
}

describe(`arbitrary rules (seed ${seed})`, () => {
  it('from arbitrary JSON compile, or are refused with a path', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), json), fc.jsonValue(), (detect, respond) => {
        compiled({ detect, respond });
        compiled(detect);
      }),
      runs,
    );
  });

  it('from arbitrary text are read or refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        try {
          parseRuleText(text);
        } catch (error) {
          expect(error).toBeInstanceOf(RuleError);
        }
      }),
      { ...runs, numRuns: 200 },
    );
    for (const text of ['['.repeat(100_000), '{a: '.repeat(50_000), 'a: &a [x]\nb: *b'])
      expect(() => parseRuleText(text)).toThrow(RuleError);
  });

  it('give a result on any event, and `not` inverts it', () => {
    fc.assert(
      fc.property(shallow, json, json, (detect, routing, event) => {
        const one = compiled({ detect: { ...detect, not: false }, respond: [] });
        if (one === null) return;
        const view = { routing, event };
        const yes = verdict({ ...detect, not: false }, view, { l: { abc: 1 } });
        const no = verdict({ ...detect, not: true }, view, { l: { abc: 1 } });
        expect(typeof yes.match).toBe('boolean');
        if ('event' in detect) expect(yes.match && no.match).toBe(false);
        else expect(no.match).toBe(!yes.match);
      }),
      { ...runs, numRuns: 2000 },
    );
  });

  it('with trees of operators give a result', () => {
    fc.assert(
      fc.property(rule, json, (detect, event) => {
        if (compiled({ detect }) !== null) expect(typeof verdict(detect, { routing: {}, event }).match).toBe('boolean');
      }),
      runs,
    );
  });

  it('with templates of any text render them, are refused, or report a missing field', () => {
    const pieces = fc.constantFrom(
      '{{',
      '}}',
      '.event',
      '.A',
      ' ',
      '|',
      'json',
      'index',
      '"x"',
      '(',
      ')',
      'if',
      'else',
      'end',
      '<<event/A>>',
      '-',
      'text',
      '5',
      '`',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 14 }), json, (parts, event) => {
        try {
          expect(typeof render(parseTemplate(parts.join(''), 'respond/0/name'), { event }, 'fault')).toBe('string');
        } catch (error) {
          expect(error instanceof RuleError || error instanceof RuleFault, String(error)).toBe(true);
        }
      }),
      { ...runs, numRuns: 3000 },
    );
  });

  it('use the same distances as the plain algorithm', () => {
    const texts = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 });
    fc.assert(
      fc.property(texts, texts, fc.nat(8), (left, right, max) => {
        expect(isWithin(left, right, max)).toBe(plainDistance(left, right) <= max);
      }),
      runs,
    );
  });

  it('end soon on a huge event, even if they are costly', () => {
    const wide = Object.fromEntries(
      Array.from({ length: 200 }, (_, a) => [`k${a}`, Array.from({ length: 200 }, (_, b) => ({ [`x${b}`]: 'aaaa' }))]),
    );
    const costly = { op: 'is', path: 'event/*/*/*/*/?', value: 'zzz' };
    const startedMs = performance.now();
    const answer = verdict(
      { op: 'and', rules: Array.from({ length: 500 }, () => ({ ...costly, not: true })) },
      { routing: {}, event: wide },
    );
    expect(answer.match).toBe(false);
    expect(answer.errors).toHaveLength(1);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});

function plainDistance(left: readonly string[], right: readonly string[]): number {
  let row = Array.from({ length: right.length + 1 }, (_, column) => column);
  left.forEach((one, i) => {
    const next = [i + 1];
    right.forEach((other, j) => {
      next.push(Math.min((row[j] ?? 0) + (one === other ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    });
    row = next;
  });
  return row[right.length] ?? 0;
}
