/** Compares the pages with the code: settings with defaults and ranges, metrics, the requests of README.md. Checks every link. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import client from 'prom-client';
import { beforeAll, describe, expect, it } from 'vitest';
import { ACTIONS } from '../../src/api/actions/table.ts';
import { parseForm } from '../../src/api/http/form.ts';
import { readConfig } from '../../src/config.ts';
import { checkSelector } from '../../src/selector/language/check.ts';
import { pages, plain, readText, root, rows, section } from './pages.ts';

const readme = readText('README.md');
const NEEDED = { KAFKA_BROKERS: 'localhost:9092', REDIS_URL: 'redis://localhost' };

describe('the table of settings', () => {
  const table = rows(section(readText('docs/settings.md'), '# Settings')).filter(([name]) =>
    /^`[A-Z_]+`$/.test(name ?? ''),
  );
  const defaults = Object.entries(readConfig(NEEDED));

  it('has every setting, in the order of the code, and no other', () => {
    expect(table.map(([name]) => plain(name))).toEqual(defaults.map(([name]) => name));
  });

  it('has their defaults', () => {
    const shown = Object.fromEntries(table.map(([name, fallback]) => [plain(name), plain(fallback)]));
    const required = Object.fromEntries(Object.keys(NEEDED).map((name) => [name, '']));
    expect(shown).toEqual({
      ...Object.fromEntries(defaults.map(([name, value]) => [name, String(value)])),
      ...required,
    });
  });

  /** What the sentence about a bad value says is right, as the table writes it. Text and lists refuse nothing. */
  const rangeOf = (name: string, value: unknown): string => {
    if (Array.isArray(value)) return 'list';
    try {
      readConfig({ ...NEEDED, [name]: '\u0000' });
    } catch (error) {
      const fault = (error as Error).message.split('\n').find((line) => line.startsWith(`${name} must be `));
      if (fault)
        return fault
          .replace(/^\S+ must be (a whole number from |one of )?|\.$/g, '')
          .replace(/^, /, '')
          .replace(' or ', ', ');
    }
    return 'text';
  };

  it('has their ranges', () => {
    const shown = Object.fromEntries(table.map(([name, , range]) => [plain(name), range]));
    expect(shown).toEqual(Object.fromEntries(defaults.map(([name, value]) => [name, rangeOf(name, value)])));
  });
});

describe('the metrics', () => {
  beforeAll(async () => {
    await Promise.all([
      import('../../src/edges/http/metrics.ts'),
      import('../../src/edges/http/server.ts'),
      import('../../src/api/events/event-stream.ts'),
    ]);
  });

  it('are those that a server shows', async () => {
    const shown = (await client.register.getMetricsAsJSON())
      .map(({ name }) => name)
      .filter((name) => /^rt_/.test(name));
    const named = [...section(readText('docs/operating.md'), '## Metrics').matchAll(/`(rt_[a-z_]+)`/g)].map(
      ([, name]) => name,
    );
    expect(named.toSorted()).toEqual(shown.toSorted());
  });
});

describe('the requests by curl', () => {
  const text = section(readme, '## Queue tasks with curl');
  const requests = [
    ...[...text.matchAll(/^ask (\w+) <<'END'\n([\s\S]*?)\nEND$/gm)],
    ...[...text.matchAll(/^ask (\w+) '([^\n]*)'$/gm)],
  ].map(([, action, data]) => [action as string, data as string] as const);

  it('are there', () => {
    expect(requests.length).toBeGreaterThanOrEqual(7);
  });

  it.each(requests)('%s %s is what the server reads', (action, data) => {
    const form = parseForm(`oid=o&action=${action}&data=${data}`);
    expect(ACTIONS.has(form.action as string)).toBe(true);
    const fields = JSON.parse(form.data as string) as { selector?: string };
    expect(fields).toEqual(JSON.parse(data));
    if (fields.selector) expect(() => checkSelector(fields.selector as string)).not.toThrow();
  });
});

/** How GitHub makes an anchor of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

/** The page without its blocks of code. */
const prose = (page: string): string => page.replace(/^```[\s\S]*?^```/gm, '');

it.each(pages())('the links of %s lead somewhere', (path) => {
  for (const [, link] of prose(readText(path)).matchAll(/\]\(([^)\s]+)\)/g)) {
    const [target = '', anchor] = (link as string).split('#');
    if (/^https?:/.test(target)) continue;
    const file = target === '' ? path : join(dirname(path), target);
    expect(existsSync(join(root, file)), `${path}: ${link}`).toBe(true);
    if (anchor === undefined || statSync(join(root, file)).isDirectory()) continue;
    const anchors = [...prose(readText(file)).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
      anchorOf(heading as string),
    );
    expect(anchors, `${path}: ${link}`).toContain(anchor);
  }
});
