/** Texts that are made to cost time or memory. Each is read or refused in much less than a second. */
import { describe, expect, it } from 'vitest';
import { convertRule } from '../../src/rules/convert.ts';
import { RuleError, RuleFault } from '../../src/rules/errors.ts';
import { compileRule } from '../../src/rules/rule.ts';
import { parseTemplate } from '../../src/rules/template/parse.ts';
import { render } from '../../src/rules/template/render.ts';
import { eventOf, matches, verdict } from './support.ts';

const MOST_MS = 500;
const SPACES = ' '.repeat(60_000);

/** The time until a result, a RuleError or a RuleFault. */
function timed(work: () => unknown): number {
  const beganMs = performance.now();
  try {
    work();
  } catch (error) {
    if (!(error instanceof RuleError || error instanceof RuleFault)) throw error;
  }
  return performance.now() - beganMs;
}

const detect = (fields: object) => ({ op: 'is', path: 'event/V', ...fields });
const withCommand = (command: string) =>
  compileRule({ detect: detect({ value: 1 }), respond: [{ action: 'task', command }] });
const legacy = (task: string) => ({
  detect: {},
  respond: [{ action: 'service request', name: 'reliable-tasking', request: { action: 'task', task, sid: 'x' } }],
});

describe('time', () => {
  it.each<[string, () => unknown]>([
    ['an older field that is not closed', () => withCommand(`<<${SPACES}`)],
    ['older fields, none of them closed', () => withCommand('<<a '.repeat(16_000))],
    ['another path that is not closed', () => compileRule({ detect: detect({ value: `<<${SPACES}` }), respond: [] })],
    ['a variable that is not closed', () => compileRule({ detect: detect({ value: `[[${SPACES}` }), respond: [] })],
    ['a range of spaces', () => compileRule({ detect: detect({ value: 1, 'sub domain': `${SPACES}x` }), respond: [] })],
    ['comments that are not closed', () => withCommand(`{{${'/*'.repeat(32_000)}`)],
    ['texts that are not closed', () => withCommand(`{{"${'\\"'.repeat(32_000)}`)],
    ['a legacy request', () => convertRule(legacy(`<<${SPACES}`))],
    [
      'a time of many parts',
      () =>
        render(
          parseTemplate(`{{ parsetime "${'01'.repeat(30)}" "2006" .V }}`, 'at'),
          { V: `${'1'.repeat(90)}x` },
          'show',
        ),
    ],
  ])('%s', (_name, work) => expect(timed(work)).toBeLessThan(MOST_MS));
});

it('a search that takes too much work ends with a fault', () => {
  const half = 'a'.repeat(200_000);
  const event = { V: half.repeat(5), W: `${half}b${half}` };
  const rule = { op: 'contains', path: 'event/V', value: '<<event/W>>' };
  const beganMs = performance.now();
  expect(verdict(rule, eventOf(event)).errors).toEqual(['The rule exceeds its work limit on this event.']);
  expect(performance.now() - beganMs).toBeLessThan(2_000);
  const long = 'x'.repeat(1_000);
  expect(verdict({ ...rule, value: long }, eventOf({ V: half.repeat(5) + long })).match).toBe(true);
});

describe('length', () => {
  const V = 'x'.repeat(1_000_000);
  it.each([
    '{{ replace "" .V .V }}',
    '{{ replace "x" .V .V }}',
    '{{ join .V (split "" .V) }}',
    `{{ .V ${'| json '.repeat(40)}}}`,
    '{{ print .V .V .V .V }}',
  ])('%s', (text) => {
    const template = parseTemplate(text, 'at');
    const beganMs = performance.now();
    expect(() => render(template, { V: `${V}"` }, 'show')).toThrow(RuleFault);
    expect(performance.now() - beganMs).toBeLessThan(2_000);
  });
});

it('similar texts that are valid are read', () => {
  const shown = (text: string) => render(parseTemplate(text, 'at'), { a: { b: 1 }, V: 'x.y' }, 'show');
  expect(shown('<< a/b >>')).toBe('1');
  expect(shown('a <<  >> b')).toBe('a <<  >> b');
  expect(shown('{{ replace "." "-" .V }}{{ replace "" "|" .V }}')).toBe('x-y|x|.|y|');
  expect(shown('{{ parsetime "2006-01-02 15:04:05.000" "epoch_ms" "2026-01-31 12:00:00.250" }}')).toBe('1769860800250');
  expect(matches({ op: 'is', path: 'event/V', value: '<< event/W >>' }, { event: { V: 1, W: 1 } })).toBe(true);
  expect(convertRule(legacy('a <<  >> b'))).toMatchObject({
    rule: { respond: [{ 'extension request': { task: '{{ "a <<  >> b" }}' } }] },
  });
});
