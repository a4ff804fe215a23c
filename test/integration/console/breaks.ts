/** The console under faults: revoked keys, ended subscriptions, broken streams, unusual texts and URLs. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { run } from '../../cli/fixtures.ts';
import { openPage, signIn, violations } from '../support/browser.ts';
import type { Stage } from './stage.ts';

export function breaksTests(stage: Stage): void {
  const rt = async (...args: string[]) => {
    const { exitCode, out, err } = await run(args, { env: { ...process.env, ...stage.system.env }, nowMs: Date.now });
    expect(exitCode, err).toBe(0);
    return JSON.parse(out);
  };

  test('when the key is revoked, the console says so, and the user can sign in with another key', async () => {
    const { system, page } = stage;
    const perms = 'sensor.task,sensor.list,ext.request';
    const { key } = await rt('keys', 'create', '--oid', system.oid, '--name', 'short', '--perms', perms, '--json');
    await signIn(page, system.oid, key);
    await rt('keys', 'revoke', 'short', '--oid', system.oid, '--json');
    await page.getByRole('alert').getByText('no longer accepted').waitFor();
    await signIn(page, system.oid, system.apiKey);
  });

  test('when someone else unsubscribes the org, the console says so, and continues when the org is subscribed again', async () => {
    const { system, page } = stage;
    const path = `/v1/orgs/${system.oid}/subscription/extension/ext-reliable-tasking`;
    await signIn(page, system.oid, system.apiKey);
    await system.client.call('DELETE', path);
    await page.getByRole('button', { name: 'Subscribe this org' }).waitFor();
    await system.client.call('POST', path);
    await page.getByRole('heading', { name: 'Reliable Tasking' }).waitFor();
  });

  test('after a gap in the stream, the list is read again and is live again', async () => {
    const { system, page } = stage;
    let isAway = true;
    await page.route('**/events', (route) => {
      if (isAway) return route.abort();
      isAway = true;
      return route.fulfill({ contentType: 'text/event-stream', body: 'event: gap\ndata: {}\n\n' });
    });
    await signIn(page, system.oid, system.apiKey);
    await page.getByText('Connecting …').waitFor();
    const tag = randomUUID();
    const { task_id } = (await system.client.request('task', { task: 'dns_resolve missed', tag })) as {
      task_id: string;
    };
    expect(await page.getByRole('link', { name: 'dns_resolve missed' }).count()).toBe(0);
    isAway = false;
    await page.getByRole('link', { name: 'dns_resolve missed' }).waitFor();
    await page.unroute('**/events');
    await page.getByText('Live', { exact: true }).waitFor();
    await system.client.request('untask', { task_id });
    await page.getByRole('link', { name: 'dns_resolve missed' }).waitFor({ state: 'detached' });
  });

  test('a read that failed while the server was away is repeated when it is back', async () => {
    const { system, page } = stage;
    await signIn(page, system.oid, system.apiKey);
    await page.context().setOffline(true);
    await stage.at('/overview');
    await page.getByRole('alert').getByText('does not answer').waitFor();
    await page.context().setOffline(false);
    await page.getByRole('region', { name: 'Sensors online' }).waitFor();
  });

  test('a URL with an unknown id shows nothing of the previous page', async () => {
    const { system, page } = stage;
    await signIn(page, system.oid, system.apiKey);
    await stage.at('/sensors/ws-01');
    await page.getByRole('heading', { name: 'ws-01.corp' }).waitFor();
    await stage.at('/sensors/nobody');
    await page.getByRole('alert').getByText('nobody').waitFor();
    expect(await page.getByRole('button', { name: 'Isolate …' }).count()).toBe(0);
    await stage.at('/tasks/nothing%');
    await page.getByRole('alert').waitFor();
  });

  test('the Back button restores the search and the scroll offset', async () => {
    const { system, page } = stage;
    const queue = (task: string) => system.client.request('task', { task, tag: 'nobody', ttl: 600 });
    const queued = await Promise.all(Array.from({ length: 40 }, (_, i) => queue(`mem_map --pid ${i}`)));
    await signIn(page, system.oid, system.apiKey);
    await page.getByLabel('Search tasks').fill('mem_map nobody');
    await page.getByLabel('Order').selectOption('command');
    await page.getByText('40 tasks').waitFor();
    await page.locator('.vbody').evaluate((box) => ((box as { scrollTop: number }).scrollTop = 1_200));
    await page.getByRole('link', { name: 'mem_map --pid 30' }).click();
    await page.getByRole('heading', { name: 'mem_map --pid 30' }).waitFor();
    await page.goBack();
    await page.getByRole('link', { name: 'mem_map --pid 30' }).waitFor();
    expect(await page.getByLabel('Search tasks').inputValue()).toBe('mem_map nobody');
    const top = () => page.locator('.vbody').evaluate((box) => (box as { scrollTop: number }).scrollTop);
    expect(await top()).toBe(1_200);
    // New rows above do not move the visible ones.
    queued.push(await queue('mem_map --first'));
    await page.getByText('41 tasks').waitFor();
    expect(await top()).toBe(1_256);
    const ids = (queued as { task_id: string }[]).map(({ task_id }) => task_id);
    await Promise.all(ids.map((task_id) => system.client.request('untask', { task_id })));
  });

  test('the focus goes to the new page, stays in a dialog, and returns from it', async () => {
    const { system, page } = stage;
    const focused = () =>
      page.evaluate<string>('document.activeElement.getAttribute("aria-label") ?? document.activeElement.id');
    await signIn(page, system.oid, system.apiKey);
    await page.keyboard.press('n');
    await page.getByRole('heading', { name: 'New task' }).waitFor();
    await page.keyboard.type('os_users');
    expect(await page.getByLabel('Command').inputValue()).toBe('os_users');
    await page.getByRole('link', { name: 'Sensors' }).click();
    await page.getByRole('link', { name: 'db-01.corp' }).click();
    await page.getByRole('heading', { name: 'db-01.corp' }).waitFor();
    expect(await focused()).toBe('main');
    const isolate = page.getByRole('button', { name: 'Isolate …' });
    await isolate.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Isolate …');
  });

  test('a search for a sensor that is not listed for the task says why', async () => {
    const { system, page } = stage;
    const task = { task: 'os_users', selector: 'plat == linux and "production" in tags', ttl: 600 };
    const { task_id } = (await system.client.request('task', task)) as { task_id: string };
    await signIn(page, system.oid, system.apiKey);
    await stage.at(`/tasks/${task_id}`);
    await page.getByRole('button', { name: 'db-01.corp' }).waitFor();
    await page.getByLabel('Search sensors').fill('ws-01');
    await page.getByRole('status').getByText('plat').waitFor();
    await page.getByLabel('Search sensors').fill('db');
    await page.getByRole('button', { name: 'db-01.corp' }).waitFor();
    await system.client.request('untask', { task_id });
    expect(stage.watched.faults).toEqual([]);
  });

  test('the form refuses a time to live that is too long', async () => {
    const { system, page } = stage;
    await signIn(page, system.oid, system.apiKey);
    await stage.at('/new');
    await page.getByLabel('Command').fill('os_users');
    await page.getByLabel('Sensors', { exact: true }).fill('*');
    await page.getByLabel('Time to live').fill('999999999');
    await page.getByText('Correct the time to live: a whole number, at least 1, at most ten years').waitFor();
    expect(await page.getByRole('button', { name: 'Queue the task' }).isDisabled()).toBe(true);
  });

  describe('texts from outside', () => {
    test('leave room for the other columns, and hide nothing', async () => {
      const { system } = stage;
      const long = `run --shell-command "${'x '.repeat(20_000)}"`;
      const turned = 'file_get -f /tmp/\u202egpj.exe';
      const tasks = [long, turned].map((task) =>
        system.client.request('task', { task, tag: '<b>none</b>', context: long.slice(0, 4_000) }),
      );
      const ids = ((await Promise.all(tasks)) as { task_id: string }[]).map(({ task_id }) => task_id);
      const other = await openPage(stage.browser, system.url, { viewport: { width: 1024, height: 768 } });
      await signIn(other.page, system.oid, system.apiKey);
      await other.page.getByRole('link', { name: 'file_get -f /tmp/‹202E›gpj.exe' }).waitFor();
      const box = await other.page.getByRole('columnheader', { name: 'Command' }).boundingBox();
      expect(box?.width).toBeGreaterThan(150);
      await other.page.goto(`${system.url}/#/tasks/${ids[0]}`);
      await other.page.getByText('No sensor matches yet').waitFor();
      expect((await other.page.getByRole('heading', { level: 1 }).boundingBox())?.height).toBeLessThan(120);
      await other.page.getByText('Full command line').click();
      expect(await other.page.locator('.whole pre').first().textContent()).toBe(long);
      expect(await violations(other.page)).toEqual([]);
      for (const task_id of ids) await system.client.request('untask', { task_id });
      expect(other.faults).toEqual([]);
      await other.close();
    });
  });

  test('over plain HTTP from another host everything works, also the Copy button', async () => {
    const { system } = stage;
    const url = system.url.replace('127.0.0.1', 'console.test');
    const other = await openPage(stage.browser, url);
    expect(await other.page.evaluate('isSecureContext')).toBe(false);
    await signIn(other.page, system.oid, system.apiKey);
    await other.page.keyboard.press('n');
    await other.page.getByLabel('Command').fill('os_version');
    await other.page.getByLabel('Sensors', { exact: true }).fill('"nobody" in tags');
    await other.page.getByRole('button', { name: 'Copy' }).first().click();
    await other.page.getByRole('button', { name: 'Copied' }).waitFor();
    await other.page.getByRole('button', { name: 'Queue (no sensor matches yet)' }).click();
    await other.page.getByRole('heading', { name: 'os_version' }).waitFor();
    await other.page.getByRole('button', { name: 'Withdraw …' }).click();
    await other.page.getByRole('button', { name: 'Withdraw task' }).click();
    await other.page.getByText('Removed', { exact: true }).waitFor();
    expect(other.faults).toEqual([]);
    await other.close();
  });
}
