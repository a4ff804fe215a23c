/** No task is queued by accident, in the console or on a terminal: Enter queues nothing, the button shows the number of sensors, and above 25 the user types it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page, Request, Route } from 'playwright-core';
import { beforeAll, expect, test, vi } from 'vitest';
import { packageRoot } from '../../../src/stack/paths.ts';
import { keepScreen, openPage, signIn, violations } from '../support/browser.ts';
import { soon } from '../support/system.ts';
import { LINUX, type Stage } from './stage.ts';

const MANY = 30;
const ALL_OF_MANY = '"many" in tags';
/** Runs a command on a pseudo-terminal, types the answer to its question, prints its output, and exits with its code. */
const TERMINAL = `
import os, pty, sys
answer, command = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
said, asked = b"", False
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    said += piece
    if not asked and b"to continue: " in said:
        os.write(terminal, answer.encode())
        asked = True
print(said.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
const TERMINAL_MS = 20_000;
const LOOKS = [
  { name: 'dark', options: { colorScheme: 'dark' } },
  { name: 'narrow', options: { colorScheme: 'light', viewport: { width: 390, height: 844 } } },
] as const;

export function confirmTests(stage: Stage): void {
  const { system } = stage;
  const connect = (sid: string, tag: string) => stage.connect(sid, { plat: LINUX, tags: [tag] });
  const matching = async (selector: string, sensors: number) =>
    vi.waitFor(async () => {
      const { total_sensors } = (await system.client.request('preview', { selector })) as { total_sensors: number };
      expect(total_sensors).toBe(sensors);
    }, soon);
  const tasksOf = async (command: string) => {
    const { tasks } = (await system.client.request('list', {})) as { tasks: { task_id: string; task: string }[] };
    return tasks.filter(({ task }) => task === command);
  };
  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
  const selector = (page: Page) => page.getByLabel('Sensors', { exact: true });
  const write = async (page: Page, command: string, target: string) => {
    await page.goto(`${system.url}/#/new`);
    await page.getByLabel('Command').fill(command);
    await selector(page).fill(target);
  };
  const actionOf = (request: Request) => {
    if (!request.url().endsWith('/ext-reliable-tasking')) return '';
    return (JSON.parse(request.postData() ?? '{}') as { action?: string }).action ?? '';
  };
  /** Holds the requests of this action until `release`. */
  const hold = async (page: Page, action: string) => {
    const held: Route[] = [];
    let isHeld = true;
    await page.route('**/ext-reliable-tasking', async (route) => {
      if (isHeld && actionOf(route.request()) === action) held.push(route);
      else await route.continue();
    });
    const release = async () => {
      isHeld = false;
      await Promise.all(held.map((route) => route.continue().catch(() => {})));
      await page.unroute('**/ext-reliable-tasking');
    };
    return { held, release };
  };

  beforeAll(async () => {
    await Promise.all(Array.from({ length: MANY }, (_, i) => connect(`many-${i}`, 'many')));
    await connect('few-0', 'few');
    await matching(ALL_OF_MANY, MANY);
    await matching('"few" in tags', 1);
  });

  test('Enter in a field queues nothing, an empty selector is refused, and a double click queues once', async () => {
    const { page } = stage;
    const asked: string[] = [];
    page.on('request', (request) => asked.push(actionOf(request)));
    await signIn(page, system.oid, system.apiKey);
    await write(page, 'os_version slip', '');
    await page.getByLabel('Command').press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('selector');
    await page.getByText('Choose the sensors: enter').waitFor();
    expect(await button(page, 'Queue the task').isDisabled()).toBe(true);
    expect(await violations(page)).toEqual([]);
    await selector(page).fill('"nobody" in tags');
    const queue = button(page, 'Queue (no sensor matches yet)');
    await queue.waitFor();
    for (const field of ['Command', 'Context', 'Time to live']) await page.getByLabel(field).press('Enter');
    await page.getByRole('region', { name: 'Targets' }).getByText('0 sensors').waitFor();
    expect(asked).not.toContain('task');
    await queue.dblclick();
    await page.getByRole('heading', { name: 'os_version slip' }).waitFor();
    expect(await tasksOf('os_version slip')).toHaveLength(1);
    expect(stage.watched.faults).toEqual([]);
  });

  test('the button never shows the count of another selector', async () => {
    const { page } = stage;
    const asked: string[] = [];
    page.on('request', (request) => asked.push(actionOf(request)));
    await signIn(page, system.oid, system.apiKey);
    await write(page, 'os_version stale', ALL_OF_MANY);
    await button(page, `Queue for ${MANY} sensors`).waitFor();
    const first = await hold(page, 'preview');
    await selector(page).fill('"few" in tags');
    expect(await button(page, 'Queue the task').isDisabled()).toBe(true);
    await page.getByText('Counting the sensors').waitFor();
    await vi.waitFor(() => expect(first.held).toHaveLength(1), soon);
    expect(await button(page, 'Queue the task').isDisabled()).toBe(true);
    await first.release();
    await button(page, 'Queue for 1 sensor').waitFor();

    // The selector changes while the click counts the sensors: nothing is queued.
    const second = await hold(page, 'preview');
    await button(page, 'Queue for 1 sensor').click();
    await button(page, 'Counting …').waitFor();
    await selector(page).fill(ALL_OF_MANY);
    await second.release();
    await button(page, `Queue for ${MANY} sensors`).waitFor();
    expect(asked).not.toContain('task');
    expect(stage.watched.faults).toEqual([]);
  });

  test('if the number has changed since the button showed it, the page shows the new one and waits', async () => {
    const { page } = stage;
    await signIn(page, system.oid, system.apiKey);
    await write(page, 'os_version grown', '"few" in tags');
    await button(page, 'Queue for 1 sensor').waitFor();
    await connect('few-1', 'few');
    await matching('"few" in tags', 2);
    await button(page, 'Queue for 1 sensor').click();
    await page.getByRole('alert').getByText('The button showed 1 sensor; 2 match now.').waitFor();
    expect(await tasksOf('os_version grown')).toEqual([]);
    await button(page, 'Queue for 2 sensors').click();
    await page.getByRole('heading', { name: 'os_version grown' }).waitFor();
  });

  test('above 25 sensors the number is typed, to queue and to withdraw, by keyboard alone', async () => {
    const { page } = stage;
    await signIn(page, system.oid, system.apiKey);
    await write(page, 'os_version many', ALL_OF_MANY);
    const queue = button(page, `Queue for ${MANY} sensors`);
    const dialog = page.getByRole('dialog');
    const number = dialog.getByRole('textbox');
    const type = async (text: string) => {
      await number.fill(text);
      await number.press('Enter');
    };
    const queue31 = button(page, 'Queue for 31 sensors').first();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(actionOf(request)));
    /** Types the right number, but closes the dialog before the sensors are counted again: nothing happens. */
    const closeWhileCounting = async (action: string) => {
      const { held, release } = await hold(page, action);
      await type('31');
      await vi.waitFor(() => expect(held).not.toHaveLength(0), soon);
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      await release();
    };
    await queue.press('Enter');
    await dialog.getByText('os_version many').waitFor();
    expect(await page.evaluate('document.activeElement.inputMode')).toBe('numeric');
    await keepScreen(page, 'new-many-light');
    expect(await violations(page)).toEqual([]);
    await type('29');
    await dialog.getByRole('alert').getByText('The number does not match: type 30.').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await page.getByLabel('Command').inputValue()).toBe('os_version many');
    expect(await selector(page).inputValue()).toBe(ALL_OF_MANY);
    expect(await page.evaluate('document.activeElement.textContent')).toBe(`Queue for ${MANY} sensors`);

    await queue.press('Enter');
    await number.waitFor();
    await connect('many-late', 'many');
    await matching(ALL_OF_MANY, MANY + 1);
    await type('30');
    await dialog.getByRole('alert').getByText('30 sensors before, 31 sensors now').waitFor();
    expect(await number.inputValue()).toBe('');
    expect(await tasksOf('os_version many')).toEqual([]);
    await closeWhileCounting('preview');
    await queue31.press('Enter');
    await type('31');
    await page.getByRole('heading', { name: 'os_version many' }).waitFor();
    expect(await tasksOf('os_version many')).toHaveLength(1);

    await page.getByText('31 sensors', { exact: true }).waitFor();
    await button(page, 'Withdraw …').press('Enter');
    await dialog.getByText('To withdraw it from 31 sensors, type').waitFor();
    expect(await violations(page)).toEqual([]);
    await type('13');
    await dialog.getByRole('alert').getByText('The number does not match: type 31.').waitFor();
    expect(await tasksOf('os_version many')).toHaveLength(1);
    await closeWhileCounting('get');
    await button(page, 'Withdraw …').press('Enter');
    await type('31');
    await page.getByText('Removed', { exact: true }).waitFor();
    expect(asked.filter((action) => action === 'task' || action === 'untask')).toEqual(['task', 'untask']);
    expect(stage.watched.faults).toEqual([]);
  });

  test('on a terminal the command line asks for the number too', async () => {
    const rt = async (answer: string) => {
      const main = join(packageRoot, 'src/cli/main.ts');
      const command = [process.execPath, main, 'task', 'os_version typed', '--selector', ALL_OF_MANY];
      const env = { ...process.env, RT_URL: system.url, RT_OID: system.oid, RT_API_KEY: system.apiKey, NO_COLOR: '1' };
      const run = promisify(execFile)('python3', ['-c', TERMINAL, answer, ...command], { env, timeout: TERMINAL_MS });
      return run.then(
        ({ stdout }) => ({ code: 0, stdout }),
        ({ code, stdout }: { code: number; stdout: string }) => ({ code, stdout }),
      );
    };
    const ended = await rt('\u0004'); // Ctrl-D: the end of the input
    expect(ended.stdout).toContain('for 31 sensors, 31 online now.');
    expect(ended).toMatchObject({ code: 1, stdout: expect.stringContaining('not_confirmed  Nothing was queued') });
    expect(await tasksOf('os_version typed')).toEqual([]);
    expect(await rt('31\n')).toMatchObject({ code: 0, stdout: expect.stringContaining('matched  31') });
    expect(await tasksOf('os_version typed')).toHaveLength(1);
  });

  test.each(LOOKS)('$name: the dialog has no violations and does not scroll sideways', async ({ name, options }) => {
    const other = await openPage(stage.browser, system.url, options);
    await signIn(other.page, system.oid, system.apiKey);
    await write(other.page, 'run --shell-command "hostname"', ALL_OF_MANY);
    await other.page.getByRole('button', { name: /^Queue for \d+ sensors$/ }).click();
    await other.page.getByRole('dialog').getByText('Online now').waitFor();
    await keepScreen(other.page, `new-many-${name}`);
    expect(await violations(other.page)).toEqual([]);
    expect(await other.page.evaluate('document.documentElement.scrollWidth > innerWidth')).toBe(false);
    expect(other.faults).toEqual([]);
    await other.close();
  });
}
