/** Templates and transforms of actions. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RuleFault } from '../../../src/rules/errors.ts';
import { parseTemplate } from '../../../src/rules/template/parse.ts';
import { render } from '../../../src/rules/template/render.ts';
import { applyTransform, parseTransform } from '../../../src/rules/template/transform.ts';
import { faultOf } from '../support.ts';

const data = {
  routing: { sid: 'sensor-1', event_time: 1_760_000_000_000 },
  event: {
    FILE_PATH: 'C:\\Windows\\cmd.exe',
    PID: 4812,
    'odd-key': 'odd',
    LIST: ['a', 'b'],
    EMPTY: '',
    PARENT: { 'odd-key': 1 },
  },
};
/** MD5 of the secret and the value. */
const TOKEN = createHash('md5').update('secretsensor-1').digest('hex');
const shown = (text: string) => render(parseTemplate(text, 'at'), data, 'show');

describe('templates', () => {
  it.each([
    ['plain', 'plain'],
    ['{{ .routing.sid }}', 'sensor-1'],
    ['{{.routing.sid}}', 'sensor-1'],
    ['a {{ .event.PID }} b', 'a 4812 b'],
    ['{{ .routing.event_time }}', '1760000000000'],
    ['{{ "a literal" }}', 'a literal'],
    ['{{ "with }} and \\"quotes\\" \\u00e9 \\/" }}', 'with }} and "quotes" é /'],
    ['{{ `raw\\n` }}', 'raw\\n'],
    ['{{ index .event "odd-key" }}', 'odd'],
    ['{{ index .event.PARENT "odd-key" }}', '1'],
    ['{{ (index .event "LIST") | json }}', '["a","b"]'],
    ['{{ (index . "routing").sid }}', 'sensor-1'],
    ['{{ index .event.LIST 1 }}', 'b'],
    ['{{ base .event.FILE_PATH }}', 'cmd.exe'],
    ['{{ .event.FILE_PATH | dir }}', 'C:\\Windows'],
    ['{{ join "," .event.LIST }}', 'a,b'],
    ['{{ split "-" "x-y" | json }}', '["x","y"]'],
    ['{{ replace "m" "n" .event.FILE_PATH | base }}', 'cnd.exe'],
    ['{{ token "secret" .routing.sid }}', TOKEN],
    ['{{ parsetime "epoch_ms" "2006-01-02 15:04:05" .routing.event_time }}', '2025-10-09 08:53:20'],
    ['{{ if .event.EMPTY }}x{{ else if eq .event.PID 4812 }}y{{ else }}z{{ end }}', 'y'],
    ['a {{- " b " -}} c', 'a b c'],
    ['{{/* nothing */}}x', 'x'],
    ['{{ .event.NO }}', '<no value>'],
    ['<<routing/sid>>', 'sensor-1'],
    ['<<event/PARENT/odd-key>>!', '1!'],
    ['echo 1 << 2', 'echo 1 << 2'],
  ])('%s', (text, expected) => expect(shown(text)).toBe(expected));

  it.each([
    '{{routing.sid}}',
    '{{ .a',
    '{{ }}',
    '{{ nofunc 1 }}',
    '{{ json }}',
    '{{ if .a }}x',
    '{{ end }}',
    '{{ range .a }}{{ end }}',
    '{{ .a | "x" }}',
    '<<event/*/X>>',
    '{{ "a\nb" }}',
  ])('%s does not parse', (text) =>
    expect(faultOf(() => parseTemplate(text, 'respond/0/name'))).toBe('respond/0/name'),
  );

  it.each([
    ['{{routing.sid}}', '{{ .routing.sid }}'],
    ['{{ routing }}', '{{ .routing }}'],
    ['{{ if event/FILE_PATH }}x{{ end }}', '{{ .event.FILE_PATH }}'],
    ['{{ json event.PID }}', '{{ .event.PID }}'],
  ])('%s is reported as a field without its dot', (text, field) =>
    expect(() => parseTemplate(text, 'at')).toThrow(`A field starts with a dot: ${field}.`),
  );

  it('a missing field ends the action where a wrong text would do harm', () => {
    expect(() => render(parseTemplate('{{ .event.NO }}', 'at'), data, 'fault')).toThrow(RuleFault);
  });
});

describe('transforms', () => {
  const made = (value: unknown) => applyTransform(parseTransform(value, 'at', 'path'), data);
  it.each<[unknown, unknown]>([
    ['routing.sid', 'sensor-1'],
    ['event.PID', 4812],
    ['event.LIST.1', 'b'],
    ['os_version', null],
    ['{{ "os_version" }}', 'os_version'],
    ['audit-{{ .event.PID }}', 'audit-4812'],
    ['<<routing/sid>>', 'sensor-1'],
    [3600, 3600],
    [true, true],
    [null, null],
    [{ a: ['event.PID', { b: 'event.odd-key' }] }, { a: [4812, { b: 'odd' }] }],
  ])('%j', (value, expected) => expect(made(value)).toEqual(expected));

  it('a text of a report is a literal', () => {
    expect(applyTransform(parseTransform({ author: 'me', pid: '{{ .event.PID }}' }, 'at', 'literal'), data)).toEqual({
      author: 'me',
      pid: '4812',
    });
  });
});
