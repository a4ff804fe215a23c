/** A real Chromium for the tests of the console: the one that CHROMIUM names, else the first on the PATH. */
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { packageRoot } from '../../../src/stack/paths.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
/** For whatever is waited for; a busy machine draws slowly. */
const WAIT_MS = 20_000;
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

function findChromium(): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const paths = [process.env.CHROMIUM ?? '', ...NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))];
  const found = paths.find((path) => path !== '' && existsSync(path));
  if (found) return found;
  throw new Error('No Chromium: install one (on Debian: apt-get install chromium), or name it in CHROMIUM.');
}

/** `console.test` is this machine, but to the browser it is another one: not a secure context over plain http. */
const ARGS = ['--no-sandbox', '--disable-dev-shm-usage', '--host-resolver-rules=MAP console.test 127.0.0.1'];

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: findChromium(), args: ARGS });
}

export type Watched = { page: Page; faults: string[]; close(): Promise<void> };

/** A page of its own; whatever goes wrong in it, and every request to another host, is noted. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const faults: string[] = [];
  page.on('console', (message) => {
    // A failed request does not name its address in the text.
    if (['error', 'warning'].includes(message.type()))
      faults.push(`console: ${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => faults.push(`page: ${error.message}`));
  page.on('request', (request) => {
    const isOwn = request.url().startsWith(url) || /^(blob|data):/.test(request.url());
    if (!isOwn) faults.push(`elsewhere: ${request.url()}`);
  });
  await page.goto(url);
  return { page, faults, close: () => context.close() };
}

export async function signIn(page: Page, oid: string, apiKey: string): Promise<void> {
  await page.getByLabel('Org id').fill(oid);
  await page.getByLabel('API key').fill(apiKey);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('main#main h1').waitFor();
}

type Violation = { id: string; impact: string | null; help: string; nodes: { target: unknown[]; html: string }[] };

/** What axe finds against WCAG A and AA, one line each. */
export async function violations(page: Page): Promise<string[]> {
  // Injected past the page's own policy, which allows no script from outside.
  const session = await page.context().newCDPSession(page);
  const source = (await import('node:fs')).readFileSync(AXE, 'utf8');
  await session.send('Runtime.evaluate', { expression: source });
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'];
  const expression = `axe.run(document, { runOnly: ${JSON.stringify(tags)} }).then((r) => JSON.stringify(r.violations))`;
  const { result } = await session.send('Runtime.evaluate', { expression, awaitPromise: true });
  await session.detach();
  const found = JSON.parse(String(result.value)) as Violation[];
  return found.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, html }) => `${id}: ${help}: ${target.join(' ')} ${html}`),
  );
}

/** Keeps a picture in docs/screens when UPDATE_SCREENS is set; the README shows some of them. */
export async function keepScreen(page: Page, name: string): Promise<void> {
  if (!process.env.UPDATE_SCREENS) return;
  const folder = join(packageRoot, 'docs', 'screens');
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name.replaceAll('/', '-')}.png`) });
}
