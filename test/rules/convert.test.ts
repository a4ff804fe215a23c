/** The conversion of legacy requests to extension requests: the published cases, and further ones. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convertRule } from '../../src/rules/convert.ts';
import { parseRespond } from '../../src/rules/respond/actions.ts';
import { applyTransform } from '../../src/rules/template/transform.ts';

type Case = { id: string; legacy: { respond: unknown[] }; converted: unknown };
const cases: Case[] = JSON.parse(readFileSync(new URL('fixtures/convert.json', import.meta.url), 'utf8'));

const legacy = (request: unknown) => ({ action: 'service request', name: 'reliable-tasking', request });
const ruleOf = (...requests: unknown[]) => ({
  detect: { op: 'is windows' },
  respond: requests.map(legacy),
  tests: { a: 1 },
});
/** The new requests of a rule, or the reasons why it cannot be converted. */
const converted = (...requests: unknown[]) => {
  const result = convertRule(ruleOf(...requests));
  if (result.state === 'failed') return result.reasons;
  if (result.state === 'untouched') return null;
  return (result.rule.respond as Record<string, unknown>[]).map((action) => action['extension request']);
};

describe('conversion', () => {
  it.each(cases.map((one) => [one.id, one] as const))('%s', (_id, { legacy: before, converted: after }) => {
    const result = convertRule(before);
    expect(result.state === 'untouched' ? before : result).toEqual(
      result.state === 'untouched' ? after : { state: 'converted', rule: after },
    );
  });

  it.each<[string, unknown, unknown]>([
    ['no target: all sensors', { action: 'task', task: 'a' }, { task: '{{ "a" }}', selector: '{{ "*" }}' }],
    [
      'a selector',
      { action: 'task', task: 'a', selector: 'plat == windows' },
      { task: '{{ "a" }}', selector: '{{ "plat == windows" }}' },
    ],
    ['untask of all', { action: 'untask', sid: '*', task_id: 't' }, { selector: '{{ "*" }}', task_id: '{{ "t" }}' }],
    ['untask without a target', { action: 'untask', task_id: 't' }, { task_id: '{{ "t" }}' }],
    ['list of all', { action: 'list' }, {}],
    ['signal_attempt', { action: 'signal_attempt', sid: '<<routing/sid>>' }, { sid: '{{ .routing.sid }}' }],
    [
      'signal_received keeps inv_id',
      { action: 'signal_received', sid: 's', inv_id: '<<routing/investigation_id>>' },
      { sid: '{{ "s" }}', inv_id: '{{ .routing.investigation_id }}' },
    ],
    ['an odd key', { action: 'list', sid: '<<event/sensor-id>>' }, { sid: '{{ index .event "sensor-id" }}' }],
    [
      'a nested odd key, and keys after it',
      { action: 'list', sid: '<<event/PARENT/odd-key/X>>' },
      { sid: '{{ index .event.PARENT "odd-key" "X" }}' },
    ],
    ['slashes around the path stay', { action: 'list', tag: '/a/<<event/B>>/c' }, { tag: '/a/{{ .event.B }}/c' }],
    ['a template stays', { action: 'list', tag: '{{ .event.B }}' }, { tag: '{{ .event.B }}' }],
    ['backslashes', { action: 'list', tag: 'C:\\é' }, { tag: '{{ "C:\\\\é" }}' }],
    [
      'numbers, booleans and unknown fields',
      { action: 'list', tag: 'x', n: 1, b: false, o: { t: 'u' } },
      { tag: '{{ "x" }}', n: 1, b: false, o: { t: '{{ "u" }}' } },
    ],
  ])('%s', (_name, request, expected) => expect(converted(request)).toEqual([expected]));

  it('several requests of a rule convert together, and the rest of the rule stays unchanged', () => {
    const rule = ruleOf({ action: 'list' }, { action: 'untask', sid: 's' });
    const result = convertRule({
      ...rule,
      respond: [rule.respond[0], { action: 'report', name: 'r' }, { ...(rule.respond[1] as object), note: 1 }],
    });
    expect(result).toMatchObject({ state: 'converted', rule: { tests: { a: 1 }, detect: rule.detect } });
    const respond = result.state === 'converted' ? (result.rule.respond as Record<string, unknown>[]) : [];
    expect(respond.map((action) => action.action)).toEqual(['extension request', 'report', 'extension request']);
    expect(respond[2]).toMatchObject({ note: 1, 'extension action': 'untask' });
  });

  it.each<[string, unknown, RegExp]>([
    ['a wildcard', { action: 'list', sid: '<<event/?/sid>>' }, /^respond\/0\/request\/sid: .*wildcard/],
    ['an unknown action', { action: 'dance' }, /^respond\/0\/request\/action/],
    ['no action', {}, /^respond\/0\/request\/action/],
    ['no request', undefined, /^respond\/0\/request:/],
    ['two targets', { action: 'task', task: 'a', sid: 's', tag: 't' }, /More than one/],
    ['two names of the context', { action: 'task', task: 'a', inv_id: 'i', context: 'c' }, /Both/],
  ])('%s cannot be converted, with the reason', (_name, request, reason) => {
    expect(converted({ action: 'list' }, request)).toEqual([
      expect.stringMatching(new RegExp(reason.source.replace('/0', '/1'))),
    ]);
  });

  it('the new rule gives any literal unchanged', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('{{') && !/<<[^<>]*>>/.test(text)),
        (text) => {
          const result = convertRule(ruleOf({ action: 'task', task: text, sid: 's' }));
          const [action] = parseRespond(result.state === 'converted' ? result.rule.respond : []);
          const effect = action !== undefined && 'effect' in action ? action.effect : undefined;
          const request = effect?.type === 'extension' ? applyTransform(effect.request, {}) : undefined;
          expect(request).toEqual({ task: text, sid: 's' });
        },
      ),
    );
  });

  it('never throws for arbitrary JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (request, other) => {
        expect(convertRule(other).state).toBe('untouched');
        expect(['converted', 'failed']).toContain(convertRule(ruleOf(request)).state);
      }),
    );
  });
});
