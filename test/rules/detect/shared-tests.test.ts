import { expect, test } from 'vitest';
import { evaluate } from '../../../src/rules/detect/evaluate.ts';
import { SharedTests } from '../../../src/rules/detect/shared-tests.ts';
import { compileRule } from '../../../src/rules/rule.ts';
import type { EventContext } from '../../../src/rules/view.ts';

const contextAt = (nowMs = 1_000_000): EventContext => ({ nowMs, lookups: () => ({ a: 1 }) });
const isOne = { op: 'is', path: 'event/x', value: 1 };

test('a shared test runs once for each event', () => {
  const shared = new SharedTests();
  const rules = [1, 2, 3].map(() => compileRule({ detect: isOne, respond: [] }, shared).detect);
  let reads = 0;
  const view = {
    event: {
      get x() {
        reads += 1;
        return 1;
      },
    },
  };
  for (const context of [contextAt(), contextAt()])
    expect(rules.map((detect) => evaluate(detect, view, context).match)).toEqual([true, true, true]);
  expect(reads).toBe(2);
});

test('rules that share tests give the same results as each alone, for several events', () => {
  const old = { op: 'is older than', path: 'event/at', seconds: 100 };
  const lookup = { op: 'lookup', path: 'event/key', resource: 'hive://lookup/any' };
  const detects = [
    isOne,
    { ...isOne, not: true },
    { ...isOne, value: '1' },
    { op: 'and', rules: [isOne, { op: 'exists', path: 'event/list' }] },
    { op: 'scope', path: 'event/list', rule: isOne },
    { op: 'or', rules: [{ op: 'scope', path: 'event/list', rule: isOne }, isOne] },
    old,
    { ...old, not: true },
    lookup,
    { op: 'and', rules: [lookup, lookup] },
  ];
  const views = [{ x: 1 }, { x: 2, list: [{ x: 1 }], key: 'a' }, { x: 1, list: [{ x: 2 }], at: 850 }, { at: 950 }, {}];
  const shared = new SharedTests();
  const together = detects.map((detect) => compileRule({ detect, respond: [] }, shared).detect);
  const alone = detects.map((detect) => compileRule({ detect, respond: [] }).detect);
  for (const event of [...views, ...views.toReversed()]) {
    for (const nowMs of [1_000_000, 1_040_000, 1_000_000]) {
      const context = contextAt(nowMs);
      const results = together.map((detect) => evaluate(detect, { event }, context));
      expect(results).toEqual(alone.map((detect) => evaluate(detect, { event }, contextAt(nowMs))));
    }
  }
});
