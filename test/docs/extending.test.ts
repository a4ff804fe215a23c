/** docs/extending.md names files, tests and commands that exist, and the places where each addition is written. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../../src/api/actions/table.ts';
import { plain, readText, root, rows, section } from './pages.ts';

const page = readText('docs/extending.md');
const filesOf = (heading: string): string[] => rows(section(page, heading)).map(([file]) => plain(file));

describe('the page on extending', () => {
  it('names files that exist', () => {
    const named = [...page.matchAll(/`((?:src|test|docs|schemas)\/[^`]*)`/g)].map(([, path]) => path as string);
    expect(named.length).toBeGreaterThan(12);
    expect(named.filter((path) => !path.includes('NAME') && !existsSync(join(root, path)))).toEqual([]);
  });

  it('names scripts of package.json', () => {
    const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
    const named = [...page.matchAll(/`npm run ([\w:]+)`/g)].map(([, name]) => name as string);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('says where an action is: each has a file of its name, or shares one', () => {
    const [file = ''] = filesOf('## An API action');
    const own = [...ACTIONS.keys()].filter((name) => existsSync(join(root, file.replace('NAME', name))));
    expect(own.length).toBeGreaterThan(ACTIONS.size / 2);
  });

  it('needs three files for an action, two for an operator, and one table, letter, symbol and label for a state', () => {
    expect(filesOf('## An API action')).toHaveLength(3);
    expect(filesOf('## A selector operator')).toHaveLength(2);
    const [table, letters, symbols, labels, ...others] = filesOf('## A delivery state');
    expect(readText(table as string)).toContain('const STATES = {');
    expect(readText(letters as string)).toContain('DELIVERY_LETTERS = {');
    expect(JSON.parse(readText(symbols as string)).name).toBe('TaskEvent');
    expect(readText(labels as string)).toContain('const LABELS');
    expect(others).toHaveLength(3);
  });
});
