/** A rule is refused when it is stored or checked for mistakes that prevent it from ever working. */
import { describe, expect, it, test } from 'vitest';
import { RuleError } from '../../src/rules/errors.ts';
import { parseRespond } from '../../src/rules/respond/actions.ts';
import { compileStored } from '../../src/rules/stored.ts';

const detect = { op: 'is windows', event: 'CONNECTED' };
const request = (action: string, fields: unknown, rest: object = {}) => ({
  action: 'extension request',
  'extension name': 'ext-reliable-tasking',
  'extension action': action,
  'extension request': fields,
  ...rest,
});
const stored = (...respond: unknown[]) => compileStored({ detect, respond });
function refused(rule: unknown): RuleError | null {
  try {
    compileStored(rule);
    return null;
  } catch (error) {
    if (error instanceof RuleError) return error;
    throw error;
  }
}

describe('a rule is refused', () => {
  it.each<[string, object, string, RegExp]>([
    ['without respond', { detect }, 'respond', /no `respond`/],
    ['with a respond that is null', { detect, respond: null }, 'respond', /no `respond`/],
    ['with an unknown action', { detect, respond: [{ action: 'tasks' }] }, 'respond/0/action', /"tasks".*"task"/],
    ['with an action that has no name', { detect, respond: [{}] }, 'respond/0/action', /no action ""/],
    [
      'with an action of the extension that rules do not have',
      { detect, respond: [request('tsak', { task: '{{ "x" }}' })] },
      'respond/0/extension action',
      /"tsak".*"task"/,
    ],
  ])('%s', (_name, rule, path, sentence) => {
    expect(refused(rule)).toMatchObject({ path, sentence: expect.stringMatching(sentence) });
  });

  it.each<[string, unknown, string, string]>([
    ['a command', { task: 'os_version' }, 'task', 'os_version'],
    ['a ttl', { task: '{{ "x" }}', ttl: '3600' }, 'ttl', '3600'],
    ['every sensor', { task: '{{ "x" }}', selector: '*' }, 'selector', '*'],
    ['a selector', { task: '{{ "x" }}', selector: 'plat == linux' }, 'selector', 'plat == linux'],
    ['a part that only reports have', { task: 'cat' }, 'task', 'cat'],
  ])('with an unquoted literal in an extension request: %s', (_name, fields, field, literal) => {
    const error = refused({ detect, respond: [{ action: 'output', name: 'o' }, request('task', fields)] });
    expect(error?.path).toBe(`respond/1/extension request/${field}`);
    expect(error?.sentence).toContain(`'{{ ${JSON.stringify(literal)} }}'`);
  });

  it('with a request that is a literal', () => {
    expect(refused({ detect, respond: [request('task', 'os_version')] })?.path).toBe('respond/0/extension request');
  });

  it.each<[string, string, string | null]>([
    ['task', 'tags', 'tag'],
    ['task', 'Selector', 'selector'],
    ['task', 'inv_id', 'context'],
    ['untask', 'plat', null],
    ['list', 'colour', null],
    ['signal_attempt', 'SID', 'sid'],
  ])('with a field that %s does not have: %s', (action, field, nearest) => {
    const error = refused({ detect, respond: [request(action, { [field]: '{{ "x" }}' })] });
    expect(error).toMatchObject({ path: `respond/0/extension request/${field}`, unknown: { field, nearest } });
  });
});

describe('a rule is stored', () => {
  it.each<[string, object]>([
    ['paths of the event', request('task', { task: 'event.COMMAND', sid: 'routing.sid', context: 'mtd.who' })],
    [
      'templates, numbers, null and the empty text',
      request('task', { task: '{{ "x" }}', ttl: 60, tag: null, context: '' }),
    ],
    ['the older form of a path', request('task', { task: 'run <<event/FILE_PATH>>', sid: '<<routing/sid>>' })],
    ['a whole request from the event', request('task', 'event.REQUEST')],
    ['no request at all', request('list', undefined)],
  ])('with %s', (_name, action) => expect(stored(action).warnings).toEqual([]));

  test('with paths of a report, if the request is based on a report', () => {
    const report = { action: 'report', name: 'r', detect_data: { cmd: 'x' } };
    expect(stored(report, request('task', { task: 'detect_data.cmd' }, { 'based on report': true })).warnings).toEqual(
      [],
    );
    const onReports = { detect: { ...detect, target: 'detection' }, respond: [request('task', { task: 'cat' })] };
    expect(refused(onReports)).toBeNull();
    expect(refused({ ...onReports, detect })).toMatchObject({ path: 'respond/0/extension request/task' });
  });

  it.each<[string, object, RegExp]>([
    ['an action that is not supported', { action: 'seal' }, /not supported/],
    ['a legacy request', { action: 'service request', name: 'reliable-tasking', request: {} }, /convert_rules/],
    ['a template that does not parse', { action: 'report', name: '{{routing.sid}}' }, /respond\/0\/name/],
    [
      'a request to another extension, whatever its data',
      { ...request('collect', { artifact_list: ['Windows.KapeFiles'] }), 'extension name': 'ext-velociraptor' },
      /no extension ext-velociraptor/,
    ],
    [
      'a task as the converter of the public client 4.x writes it',
      request('task', { sid: '{{routing.sid}}', tag: '{{ "tag" }}', task_id: '{{ "task_id" }}', ttl: '3600' }),
      /respond\/0/,
    ],
    ['a failed conversion of that converter', { ERROR: 'Failed to convert r' }, /no action ""/],
  ])('with a warning: %s', (_name, action, warning) => {
    expect(stored(action).warnings).toEqual(expect.arrayContaining([expect.stringMatching(warning)]));
  });

  test('with a warning if it has no actions', () => {
    expect(stored().warnings).toEqual(['respond: The rule has no actions.']);
  });
});

test('a literal at any permitted depth, in any JSON, is found or skipped without an exception', () => {
  let deep: unknown = 'literal';
  for (let depth = 0; depth < 300; depth += 1) deep = [deep];
  expect(stored(request('task', { task: deep })).warnings).toHaveLength(1);
  expect(refused({ detect, respond: [request('task', { task: [['event.A', { a: 'literal' }]] })] })?.path).toBe(
    'respond/0/extension request/task/0/1/a',
  );
  expect(parseRespond([{ action: 'tasks' }])).toHaveLength(1);
});
