/** The console in a real Chromium on the whole system: what a user does with it, page by page. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { buildConsoleIfStale } from '../../scripts/console.ts';
import { breaksTests } from './console/breaks.ts';
import { confirmTests } from './console/confirm.ts';
import { equivalentsTests } from './console/equivalents.ts';
import { rulesTests } from './console/rules.ts';
import { LINUX, Stage, WINDOWS } from './console/stage.ts';
import { keepScreen, openPage, signIn, violations, type Watched } from './support/browser.ts';
import { soon } from './support/system.ts';

const stage = new Stage();
const { system } = stage;
let watched: Watched;
let page: Page;

const ANSWER = {
  ERROR: 0,
  STDOUT: 'ws-01.corp\r\n',
  STDERR: '',
  PROCESS: { FILE_PATH: 'C:\\Windows\\System32\\hostname.exe', PROCESS_ID: 4212, USER_NAME: 'NT AUTHORITY\\SYSTEM' },
};
const TASKS = [
  { task: 'run --shell-command "hostname"', selector: 'plat == windows', context: 'case-1042', ttl: 7_200 },
  { task: 'os_packages', selector: '"production" in tags', ttl: 86_400 },
  { task: 'history_dump', selector: 'hostname matches "^ws-"', context: 'case-1042', ttl: 604_800 },
  { task: 'mem_map --pid 4', selector: 'sid == "laptop-17"', ttl: 3_600 },
];

/** A detection as the responder writes it. */
const detected = (sid: string) => {
  const body = { cat: 'answered', routing: { sid, hostname: `${sid}.corp`, event_type: 'RECEIPT' }, event: {} };
  const detection = { detect_id: randomUUID(), oid: system.oid, sid, cat: 'answered', source: 'dr-general' };
  const value = { ...detection, priority: 3, occurred_at: Date.now(), body: JSON.stringify(body) };
  return system.producer.send(system.topics.detections, [
    { key: system.oid, value: system.codec.encode('Detection', value) },
  ]);
};

const connect = (sid: string, part: object = {}) => stage.connect(sid, part);
const at = (path: string) => stage.at(path);

beforeAll(async () => {
  await buildConsoleIfStale();
  await stage.start();
  await Promise.all([
    connect('ws-01', { plat: WINDOWS }),
    connect('ws-02', { plat: WINDOWS, tags: [] }),
    connect('db-01', { plat: LINUX }),
  ]);
  await vi.waitFor(async () => {
    const { total_sensors } = (await system.client.request('preview', { selector: '*' })) as { total_sensors: number };
    expect(total_sensors).toBe(3);
  }, soon);
});
afterAll(() => stage.stop());
beforeEach(async () => {
  await stage.newPage();
  ({ watched, page } = stage);
});
afterEach(() => watched.close());

test('a wrong key gives an error, and the key is not kept anywhere', async () => {
  await page.getByLabel('Org id').fill(system.oid);
  await page.getByLabel('API key').fill('00000000-0000-4000-8000-000000000000');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').waitFor();
  expect(await page.getByRole('alert').textContent()).toContain('do not belong together');
  const kept = await page.evaluate<string>('JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie');
  expect(kept).not.toContain('00000000');
  expect(await violations(page)).toEqual([]);
});

test('a task is written with a live preview, delivered when a sensor connects, explained, and withdrawn', async () => {
  await signIn(page, system.oid, system.apiKey);
  await page.keyboard.press('n');
  await page.getByLabel('Command').fill('run --shell-command "hostname"');
  await page.getByLabel('Sensors', { exact: true }).fill('plat = windows');
  await page.getByRole('region', { name: 'Targets' }).getByRole('alert').waitFor();
  await page.getByLabel('Sensors', { exact: true }).fill('plat == windows and "production" in tags');
  const targets = page.getByRole('region', { name: 'Targets' });
  await targets.getByText('1 sensor', { exact: false }).first().waitFor();
  await targets.getByRole('button', { name: 'ws-01.corp' }).click();
  await targets.getByRole('cell', { name: 'matches' }).first().waitFor();
  expect(await targets.getByRole('row').count()).toBe(3);
  expect(await violations(page)).toEqual([]);
  await page.getByRole('button', { name: 'Queue for 1 sensor', exact: true }).click();

  await page.getByRole('heading', { name: 'run --shell-command' }).waitFor();
  const row = (name: string) => page.getByRole('row').filter({ hasText: name });
  await row('ws-01.corp').getByText('sent', { exact: true }).waitFor();
  const taskId = decodeURIComponent(new URL(page.url()).hash.split('/').at(-1) as string);
  await system.answer({ sid: 'ws-01', task_id: taskId, event_id: 'first' }, ANSWER);
  await row('ws-01.corp').getByText('done', { exact: true }).waitFor();
  await connect('ws-03', { plat: WINDOWS });
  await row('ws-03.corp').getByText('sent', { exact: true }).waitFor();
  const downloads = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export CSV' }).click();
  const file = readFileSync(await (await downloads).path(), 'utf8')
    .trimEnd()
    .split('\r\n');
  expect(file[0]).toBe(
    'sid,hostname,state,attempt,at,reason,receipt_at,error,event_type,event_id,response_at,body,event',
  );
  expect(
    file
      .slice(1)
      .map((line) => line.split(',').slice(0, 3))
      .toSorted(),
  ).toEqual([
    ['ws-01', 'ws-01.corp', 'done'],
    ['ws-03', 'ws-03.corp', 'sent'],
  ]);

  await row('ws-01.corp').getByRole('cell', { name: '1', exact: true }).nth(1).waitFor();
  await row('ws-01.corp').getByRole('button').click();
  const responses = page.getByRole('region', { name: 'Responses' });
  await responses.getByText('RECEIPT', { exact: true }).waitFor();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await responses.getByRole('button', { name: 'Copy' }).first().click();
  await responses.getByRole('button', { name: 'Copied' }).waitFor();
  expect(JSON.parse(await page.evaluate<string>('navigator.clipboard.readText()'))).toEqual(ANSWER);
  await responses.getByText('Routing', { exact: false }).first().click();
  await responses.getByText(`"investigation_id": "${taskId}"`, { exact: false }).waitFor();
  await responses.getByText('Routing', { exact: false }).first().click();
  await responses.getByRole('button', { name: 'Copied' }).waitFor({ state: 'detached' });
  await keepScreen(page, 'task');
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press('Escape');

  await row('ws-03.corp').getByRole('button').click();
  const panel = page.getByRole('dialog');
  await panel
    .getByText(/sent|answer/i)
    .first()
    .waitFor();
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'Withdraw …' }).click();
  expect(await page.getByRole('dialog').textContent()).toContain('1 sensor has run it');
  await page.getByRole('button', { name: 'Withdraw task' }).click();
  await row('ws-03.corp').getByText('removed', { exact: true }).waitFor();
  const { tasks } = (await system.client.request('list', {})) as { tasks: { task_id: string }[] };
  expect(tasks.map(({ task_id }) => task_id)).not.toContain(taskId);
  // While it is typed, a selector is wrong: browsers log the response with status 400.
  expect(watched.faults.filter((fault) => !fault.includes('status of 400'))).toEqual([]);
});

test('the list shows tasks that others queue, a search finds them, and ended tasks leave the list', async () => {
  await signIn(page, system.oid, system.apiKey);
  const ids = ['os_version', 'netstat'].map((task) =>
    system.client.request('task', { task, tag: 'never', ttl: 3_600 }),
  );
  // Two requests at the same time: either may come first.
  await page.getByRole('link', { name: 'netstat' }).waitFor();
  await page.getByRole('link', { name: 'os_version' }).waitFor();
  await page.getByLabel('Search tasks').fill('os_ver never');
  await page.getByRole('link', { name: 'netstat' }).waitFor({ state: 'detached' });
  expect(await page.getByRole('link', { name: 'os_version' }).count()).toBe(1);
  await page.getByLabel('Search tasks').fill('');
  const [first] = (await Promise.all(ids)) as { task_id: string }[];
  await system.client.request('untask', { task_id: first?.task_id });
  await page.getByRole('link', { name: 'os_version' }).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Ended' }).click();
  await page.getByRole('link', { name: 'os_version' }).waitFor();
  expect(watched.faults).toEqual([]);
});

test('a sensor is found by a selector, gets a tag, loses it, and can be tasked from its page', async () => {
  await signIn(page, system.oid, system.apiKey);
  await at('/sensors');
  await page.getByLabel('Selector').fill('hostname matches "^db-"');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByRole('link', { name: 'ws-01.corp' }).waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'db-01.corp' }).click();
  await page.getByLabel('New tag').fill('quarantine');
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByRole('button', { name: 'Remove tag quarantine' }).click();
  await page.getByRole('button', { name: 'Remove tag quarantine' }).waitFor({ state: 'detached' });
  expect(await violations(page)).toEqual([]);

  await page.getByRole('button', { name: 'Isolate …' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Isolate' }).click();
  await page.getByText('isolation requested', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Rejoin the network' }).click();
  await page.getByRole('button', { name: 'Isolate …' }).waitFor();
  await page.getByRole('button', { name: 'Send due tasks now' }).click();
  await page.getByText('Due tasks are sent now.').waitFor();
  await system.client.request('task', { task: 'os_packages', sid: 'db-01' });
  const history = page.getByRole('region', { name: 'Task history' });
  await history.getByRole('link', { name: 'os_packages' }).waitFor();
  await keepScreen(page, 'sensor');
  expect(await violations(page)).toEqual([]);
  await page.getByRole('link', { name: 'Task this sensor' }).click();
  expect(await page.getByLabel('Sensors', { exact: true }).inputValue()).toBe('sid == "db-01"');
  expect(watched.faults).toEqual([]);
});

test('an org that unsubscribes sees an introduction, and subscribes again with one button', async () => {
  await signIn(page, system.oid, system.apiKey);
  await at('/settings');
  await page.getByRole('button', { name: 'Unsubscribe …' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Unsubscribe' }).click();
  await page.getByRole('button', { name: 'Subscribe', exact: true }).waitFor();
  await at('/tasks');
  await page.getByRole('button', { name: 'Subscribe this org' }).click();
  await page.getByRole('heading', { name: 'Reliable Tasking' }).waitFor();
  // The live stream reconnects to see when the org is subscribed again. Until then the answer is 400.
  const isExpected = (fault: string) => fault.includes(' 400 ') && fault.endsWith(`/v1/orgs/${system.oid}/events`);
  expect(watched.faults.filter((fault) => !isExpected(fault))).toEqual([]);
});

describe('rules', () => rulesTests(stage));

describe('every page, in both themes and on a narrow screen,', () => {
  const PAGES = ['tasks', 'new', 'rules/new', 'sensors', 'overview', 'rules', 'detections', 'activity', 'settings'];
  const WRITTEN = { command: 'run --shell-command "hostname"', selector: 'plat == windows and "production" in tags' };
  const ADDRESSES: Record<string, string> = { new: `new?${new URLSearchParams(WRITTEN)}` };
  const LOOKS = [
    { name: 'light', options: { colorScheme: 'light' } },
    { name: 'dark', options: { colorScheme: 'dark' } },
    { name: 'narrow', options: { colorScheme: 'light', viewport: { width: 390, height: 844 } } },
  ] as const;

  beforeAll(async () => {
    const queue = (task: object) => system.client.request<{ task_id: string }>('task', task);
    const [tasks] = await Promise.all([Promise.all(TASKS.map(queue)), detected('ws-01'), detected('ws-02')]);
    const [windows, , history] = tasks.map(({ task_id }) => task_id) as [string, string, string];
    await Promise.all([
      system.answer({ sid: 'ws-01', task_id: windows }, ANSWER),
      system.answer({ sid: 'ws-02', task_id: windows }, { ERROR: 5 }),
      system.answer({ sid: 'ws-01', task_id: history }, ANSWER),
    ]);
  });

  test('narrow: the menu leads to every page', async () => {
    const other = await openPage(stage.browser, system.url, { viewport: { width: 390, height: 844 } });
    await signIn(other.page, system.oid, system.apiKey);
    await other.page.getByRole('button', { name: 'Menu' }).click();
    await keepScreen(other.page, 'menu-narrow');
    expect(await violations(other.page)).toEqual([]);
    await other.page.getByRole('link', { name: 'Settings' }).click();
    await other.page.getByRole('heading', { name: 'Settings' }).waitFor();
    await other.page.getByRole('link', { name: 'Settings' }).waitFor({ state: 'hidden' });
    await other.page.getByRole('button', { name: 'Menu' }).click();
    await other.page.getByRole('button', { name: 'Sign out' }).click();
    await other.page.getByLabel('API key').waitFor();
    expect(other.faults).toEqual([]);
    await other.close();
  });

  test.each(LOOKS)('$name: is without violations, errors and sideways scrolling', async ({ name, options }) => {
    const other = await openPage(stage.browser, system.url, options);
    await keepScreen(other.page, `sign-in-${name}`);
    await signIn(other.page, system.oid, system.apiKey);
    for (const path of PAGES) {
      await other.page.goto(`${system.url}/#/${ADDRESSES[path] ?? path}`);
      await other.page.locator('main h1').waitFor();
      await other.page.locator('.loading').waitFor({ state: 'detached' });
      if (path === 'tasks') await other.page.locator('.bar.empty').first().waitFor({ state: 'detached' });
      if (path === 'new') await other.page.getByText('Excluded by clause').waitFor();
      if (path === 'activity') {
        const sid = 'ws-02';
        await system.client.request('task', { task: 'os_services', sid });
        await other.page.getByRole('link', { name: sid }).first().waitFor();
        // Queued, dispatched, sent: each row shows the command line, though only the first event has it.
        const commands = other.page.getByRole('link', { name: 'os_services' });
        if (name !== 'narrow') await commands.nth(2).waitFor(); // a narrow screen has no room for them
      }
      if (path === 'overview') {
        const perMinute = other.page.getByRole('region', { name: 'Events per minute' });
        await perMinute.locator('.u-value', { hasText: /^\d+$/ }).first().waitFor();
      }
      await keepScreen(other.page, `${path}-${name}`);
      expect(await violations(other.page), path).toEqual([]);
      const isWide = await other.page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth');
      expect(isWide, `${path} scrolls sideways`).toBe(false);
    }
    expect(other.faults).toEqual([]);
    await other.close();
  });
});

describe('the form', () => equivalentsTests(stage));
describe('on a bad day', () => breaksTests(stage));
// Runs last: its many sensors would change the counts of the other tests.
describe('many sensors', () => confirmTests(stage));
