/** The respond part: which actions run, which are only stored, and how often an action runs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Action, parseRespond } from '../../../src/rules/respond/actions.ts';
import { parseGoDuration } from '../../../src/rules/respond/duration.ts';
import { counted, parseSuppression, runsNow, type Suppression } from '../../../src/rules/respond/suppression.ts';
import { compileRule } from '../../../src/rules/rule.ts';
import { parseRuleText } from '../../../src/rules/rule-text.ts';
import { Ruleset } from '../../../src/rules/ruleset.ts';
import { eventOf, faultOf } from '../support.ts';

describe('actions', () => {
  it.each([
    [{ action: 'report', name: 'x' }, 'report'],
    [{ action: 'output', name: 'x' }, 'output'],
    [{ action: 'task', command: 'os_version' }, 'task'],
    [{ action: 'add tag', tag: 'x', ttl: 60 }, 'tag'],
    [{ action: 'remove tag', tag: 'x' }, 'tag'],
    [
      { action: 'extension request', 'extension name': 'e', 'extension action': 'task', 'extension request': {} },
      'extension',
    ],
    [{ action: 'isolate network' }, 'isolate'],
    [{ action: 'rejoin network' }, 'isolate'],
  ])('%j runs', (action, type) => expect((parseRespond([action])[0] as Action).effect.type).toBe(type));

  it.each([
    [{ action: 'service request', name: 'reliable-tasking', request: {} }, /convert_rules/],
    [{ action: 'wait', duration: '10s' }, /not supported/],
    [{ action: 'dance' }, /no action "dance"/],
    [{ action: 'report' }, /respond\/0\/name/],
    [{ action: 'report', name: '{{routing.sid}}' }, /respond\/0\/name/],
    [{ action: 'output', name: 'x', suppression: { max_count: 1, period: 'soon' } }, /respond\/0\/suppression\/period/],
  ])('%j is stored with a warning', (action, problem) => {
    const { warnings } = compileRule({
      detect: { op: 'is windows' },
      respond: [{ action: 'output', name: 'o' }, action],
    });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(new RegExp(problem.source.replace('/0', '/1')));
  });

  it('an empty respond is stored with a warning; a respond that is not a list is refused', () => {
    expect(compileRule({ detect: { op: 'is windows' } }).warnings).toEqual(['respond: The rule has no actions.']);
    expect(faultOf(() => compileRule({ detect: { op: 'is windows' }, respond: 'x' }))).toBe('respond');
  });
});

describe('the text of a rule', () => {
  const seed =
    'detect:\n  op: contains\n  event: RECEIPT\n  path: routing/investigation_id\n  value: version\nrespond:\n- action: output\n  name: tasks-output\n- action: report\n  name: "Reliable task ran"\n';
  it('can be the public example', () => {
    expect(compileRule(parseRuleText(seed)).warnings).toEqual([]);
  });
  it('can be two documents, detect and respond', () => {
    expect(parseRuleText('op: is windows\nevent: X\n---\n- action: output\n  name: o\n')).toEqual({
      detect: { op: 'is windows', event: 'X' },
      respond: [{ action: 'output', name: 'o' }],
    });
  });
});

describe('durations', () => {
  it.each([
    ['90s', 90_000],
    ['1h', 3_600_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['500ms', 500],
    ['0', 0],
    ['', null],
    ['1', null],
    ['1d', null],
    ['h', null],
  ])('%s', (text, expected) => expect(parseGoDuration(text)).toBe(expected));
});

describe('suppression', () => {
  const of = (value: Record<string, unknown>) => parseSuppression({ period: '1h', ...value }, 'at') as Suppression;
  const ran = (suppression: Suppression, times: number) =>
    Array.from({ length: times }, (_, before) => runsNow(suppression, before, 1));
  it('runs at most max_count times', () => expect(ran(of({ max_count: 2 }), 4)).toEqual([true, true, false, false]));
  it('runs from the min_count-th time on', () =>
    expect(ran(of({ min_count: 3, max_count: 4 }), 6)).toEqual([false, false, true, true, false, false]));
  it('runs once at a threshold', () =>
    expect(ran(of({ min_count: 3, max_count: 1 }), 5)).toEqual([false, false, true, false, false]));

  it('rules and actions share a count with equal keys; without keys each has its own', () => {
    const view = eventOf({ USER: 'a' });
    const key = (value: Record<string, unknown>, action: string, sid = 's') =>
      counted(of(value), view, sid, action).key;
    const keys = { max_count: 1, keys: ['{{ .event.USER }}', 'b'] };
    expect(key(keys, 'r1/0')).toBe(key(keys, 'r2/1'));
    expect(key({ max_count: 1 }, 'r1/0')).not.toBe(key({ max_count: 1 }, 'r2/0'));
    expect(key(keys, 'r')).not.toBe(key(keys, 'r', 'other'));
    expect(key({ ...keys, is_global: true }, 'r')).toBe(key({ ...keys, is_global: true }, 'r', 'other'));
  });

  it('adds the number at count_path', () => {
    expect(counted(of({ max_count: 9, count_path: 'event/N' }), eventOf({ N: [2, 3, 'x'] }), 's', 'a').by).toBe(5);
  });
});

describe('the rules of an org, by event', () => {
  const types = ['A', 'B', 'C'];
  const rules = fc.array(
    fc.record({
      events: fc.option(fc.uniqueArray(fc.constantFrom(...types), { minLength: 1 }), { nil: undefined }),
      target: fc.constantFrom('edr', 'detection', 'audit'),
    }),
  );
  it('are those that name the event or no event', () => {
    fc.assert(
      fc.property(rules, fc.constantFrom(...types, 'D'), (all, type) => {
        const named = all.map((detect, index) => ({
          ...compileRule({ detect: { op: 'is windows', ...detect } }),
          name: `r${index}`,
          hive: 'dr-general',
          rights: [],
          expiresAtMs: undefined,
        }));
        const set = new Ruleset(named);
        const expected = (target: string) =>
          named
            .filter((_, i) => all[i]?.target === target && (all[i]?.events?.includes(type) ?? true))
            .map(({ name }) => name);
        expect(
          set
            .forEvent(type)
            .map(({ name }) => name)
            .toSorted(),
        ).toEqual(expected('edr').toSorted());
        expect(
          set
            .forDetection(type)
            .map(({ name }) => name)
            .toSorted(),
        ).toEqual(expected('detection').toSorted());
      }),
    );
  });
});
