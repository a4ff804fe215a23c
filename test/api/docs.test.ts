import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ACTIONS } from '../../src/api/actions/table.ts';
import type { Rights } from '../../src/api/auth/admit.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { activitiesOf } from '../../src/command/activity.ts';
import { ERROR_CODES } from '../../src/errors.ts';
import type { TaskEventType } from '../../src/model/records.ts';

const pageOf = (name: string) => readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');
const page = pageOf('api');
const section = (title: string, of = page) => of.split(/^## /m).find((part) => part.startsWith(title)) ?? '';
const rows = (text: string) => text.split('\n').filter((line) => line.startsWith('| `'));

test('the errors of the page are those of the table, with status and meaning', () => {
  const expected = Object.entries(ERROR_CODES).map(
    ([code, { status, retriable, summary }]) =>
      `| \`${code}\` | ${status} | ${retriable ? 'yes' : 'no'} | ${summary} |`,
  );
  expect(rows(section('Errors'))).toEqual(expected);
});

test('the routes of the page are those of the table, with rights and meaning', () => {
  const rightsOf = (rights: Rights) => {
    if (Array.isArray(rights)) return rights.map((right) => `\`${right}\``).join(' or ');
    return { open: 'no token', token: 'any', 'by action': 'by action, below' }[rights as string];
  };
  const expected = ROUTES.map(
    ({ method, url, rights, summary }) =>
      `| \`${method} ${url.replace(/:(\w+)/g, '{$1}')}\` | ${rightsOf(rights)} | ${summary} |`,
  );
  expect(rows(section('Routes')).toSorted()).toEqual(expected.toSorted());
});

test('the table of compatibility leaves no route and no action out', () => {
  const text = section('Calls', pageOf('limacharlie'));
  for (const { url } of ROUTES) expect(text).toContain(url.replace(/:(\w+)/g, '{$1}'));
  for (const name of ACTIONS.keys()) expect(text).toContain(`\`${name}\``);
});

test('the page of the actions names each with its rights', () => {
  const table = rows(section('# Actions of the extension', pageOf('actions')));
  const expected = [...ACTIONS].map(
    ([name, { rights }]) => `| \`${name}\` | ${rights.map((r) => `\`${r}\``).join(', ')} |`,
  );
  expect(table.sort()).toEqual(expected.sort());
});

test('the page names every event of the stream', () => {
  const types: TaskEventType[] = [
    'ADD_TASK',
    'TASK_SENT',
    'TASK_DELIVERED',
    'TASK_DONE',
    'TASK_FAILURE',
    'TASK_EXPIRED',
    'TASK_REMOVED',
  ];
  const event = { event_id: '', oid: '', task_id: '', sid: null, attempt: null, occurred_at: 0, detail: null };
  const names = new Set(types.flatMap((type) => activitiesOf({ ...event, type }).map(({ name }) => name)));
  const shown = rows(section('Events')).map((row) => /`(\w+)`/.exec(row)?.[1]);
  expect(new Set(shown)).toEqual(names);
});

test.each(['api', 'actions'])('the examples of %s in JSON are JSON', (name) => {
  const examples = [...pageOf(name).matchAll(/```json\n([\s\S]*?)```/g)];
  expect(examples.length).toBeGreaterThan(4);
  for (const [, json = ''] of examples) expect(() => JSON.parse(json)).not.toThrow();
});

test('the page of the actions has a section for each', () => {
  const headings = [...pageOf('actions').matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
  for (const name of ACTIONS.keys()) expect(headings).toContain(name);
});
