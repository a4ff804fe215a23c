import { expect, test } from 'vitest';
import { type Draft, equivalents, shellQuoted, ttlSeconds } from '../../src/console/pages/draft.ts';

const draft = (part: Partial<Draft> = {}): Draft => ({
  ...{ command: 'os_version', selector: '', context: '', ttl: '7', unit: 'd' },
  ...part,
});
const where = { oid: 'an-oid', origin: 'https://rt.example', uid: null };
const issue = { id: 'an-id', issuedAtMs: 1_700_000_000_000 };

test.each([
  ['7', 'd', 604_800],
  ['90', 'm', 5_400],
  [' 2 ', 'h', 7_200],
  ['3650', 'd', 315_360_000],
  ['3651', 'd', Number.NaN],
  ['999999999', 'd', Number.NaN],
  ['0', 'm', Number.NaN],
  ['1.5', 'h', Number.NaN],
  ['-1', 'h', Number.NaN],
  ['', 'h', Number.NaN],
] as const)('%j %s are %d seconds', (ttl, unit, seconds) => {
  expect(ttlSeconds(draft({ ttl, unit }))).toBe(seconds);
});

test('a text is quoted for a shell', () => {
  expect(shellQuoted(`it's $HOME`)).toBe(`'it'\\''s $HOME'`);
});

test('no selector is every sensor, and the record is whole', () => {
  const [curl, cli, record] = equivalents(where, draft(), issue);
  expect(curl?.text).toContain('"selector":"*"');
  expect(cli?.text).toContain(`reliable-tasking task 'os_version' --selector '*' --ttl 604800s`);
  expect(JSON.parse(record?.text ?? '')).toEqual({
    ...{ action: 'TASK', oid: 'an-oid', task_id: 'an-id', task: 'os_version', selector: '*', context: null },
    ...{ ttl: 604_800, issued_at: 1_700_000_000_000, issued_by: 'console', untask_selector: null, options: null },
  });
});

test('with a user key the user is named', () => {
  const [curl] = equivalents({ ...where, uid: 'alice' }, draft(), issue);
  expect(curl?.text).toContain(`--data-urlencode 'uid=alice'`);
});
