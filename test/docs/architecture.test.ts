/** The page and the code say the same: folders, topics, and who may import what. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { TOPICS } from '../../src/topics.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const src = join(root, 'src');
const page = readFileSync(join(root, 'docs/ARCHITECTURE.md'), 'utf8');
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const importsOf = (file: string) =>
  [...readFileSync(join(src, file), 'utf8').matchAll(/from '([^']+)'/g)].map((match) => match[1] as string);

describe('the architecture page', () => {
  it('names every folder of src, and no other', () => {
    const folders = readdirSync(src, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    );
    const named = [...page.matchAll(/^\| `([a-z]+)` \|/gm)].map((match) => match[1]);
    expect(named.toSorted()).toEqual(folders.toSorted());
  });

  it('names every topic', () => {
    for (const { name } of Object.values(TOPICS)) expect(page).toContain(`\`${name}\``);
  });

  it('names files that are there', () => {
    for (const [, file] of page.matchAll(/`src\/([a-z/.-]+\.ts)`/g)) expect(files).toContain(file);
  });
});

describe('imports', () => {
  it('of client libraries stand in edges alone', () => {
    const clients = ['kafkajs', 'ioredis', 'avsc'];
    const strangers = files.filter(
      (file) => !file.startsWith('edges/') && importsOf(file).some((name) => clients.includes(name)),
    );
    expect(strangers).toEqual([]);
  });

  it('between folders have no cycle', () => {
    const folderOf = (file: string) => (file.includes('/') ? (file.split('/')[0] as string) : '');
    const edges = new Map<string, Set<string>>();
    for (const file of files) {
      for (const name of importsOf(file)) {
        if (!name.startsWith('.')) continue;
        const [from, to] = [folderOf(file), folderOf(relative(src, join(src, file, '..', name)))];
        if (from && to && from !== to) edges.set(from, (edges.get(from) ?? new Set()).add(to));
      }
    }
    const reaches = (from: string, goal: string, seen = new Set<string>()): boolean =>
      [...(edges.get(from) ?? [])].some(
        (next) => next === goal || (!seen.has(next) && reaches(next, goal, seen.add(next))),
      );
    expect([...edges.keys()].filter((folder) => reaches(folder, folder))).toEqual([]);
  });
});
