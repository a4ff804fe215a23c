import { expect, test } from 'vitest';
import type { Draft } from '../../../src/console/new-task/draft.ts';
import { equivalents, shellQuoted } from '../../../src/console/new-task/equivalents.ts';

const draft: Draft = { command: 'os_version', selector: ' * ', context: '', ttl: '7', unit: 'd' };
const access = { oid: 'an-oid', origin: 'https://rt.example', uid: null };
const issue = { id: 'an-id', issuedAtMs: 1_700_000_000_000 };

test('a text is quoted for a shell', () => {
  expect(shellQuoted(`it's $HOME`)).toBe(`'it'\\''s $HOME'`);
});

test('each form selects every sensor by *, and the record is complete', () => {
  const [curl, cli, record] = equivalents(access, draft, issue);
  expect(curl?.text).toContain('"selector":"*"');
  expect(cli?.text).toContain(`reliable-tasking task 'os_version' --selector '*' --ttl 604800s`);
  expect(JSON.parse(record?.text ?? '')).toEqual({
    action: 'TASK',
    oid: 'an-oid',
    task_id: 'an-id',
    task: 'os_version',
    selector: '*',
    context: null,
    ttl: 604_800,
    issued_at: 1_700_000_000_000,
    issued_by: 'console',
    untask_selector: null,
    options: null,
  });
});

test('with a user key, curl has the user id', () => {
  const [curl] = equivalents({ ...access, uid: 'alice' }, draft, issue);
  expect(curl?.text).toContain(`--data-urlencode 'uid=alice'`);
});
