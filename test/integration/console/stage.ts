/** What the parts of the console's test share: the whole system, and a new page for each test. */
import type { Browser, Page } from 'playwright-core';
import { FACTS } from '../../api/support/memory.ts';
import { openBrowser, openPage, type Watched } from '../support/browser.ts';
import { System } from '../support/system.ts';

export const WINDOWS = 0x10000000;
export const LINUX = 0x20000000;

export class Stage {
  readonly system = new System();
  browser!: Browser;
  watched!: Watched;

  get page(): Page {
    return this.watched.page;
  }

  async start(): Promise<void> {
    [this.browser] = await Promise.all([openBrowser(), this.system.start(['api', 'projector', 'joiner', 'responder'])]);
  }

  async stop(): Promise<void> {
    await this.browser?.close();
    await this.system.stop();
  }

  async newPage(): Promise<void> {
    this.watched = await openPage(this.browser, this.system.url);
  }

  /** Changes only the part after `#`: the page is not loaded again. */
  at(path: string): Promise<unknown> {
    return this.page.goto(`${this.system.url}/#${path}`);
  }

  connect(sid: string, part: object = {}): Promise<void> {
    return this.system.presence({ sid, sensor: { ...FACTS, hostname: `${sid}.corp`, tags: ['production'], ...part } });
  }
}
