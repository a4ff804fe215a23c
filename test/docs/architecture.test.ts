/** docs/ARCHITECTURE.md, docs/data.md and the code say the same: stages and their order, topics, Redis keys, folders, who may import what. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROLES } from '../../src/cli/commands/serve.ts';
import { keys } from '../../src/edges/redis/layout.ts';
import { TOPICS, type Topic } from '../../src/topics.ts';
import { plain, readText, root, rows, section } from './pages.ts';

const src = join(root, 'src');
const page = readText('docs/ARCHITECTURE.md');
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const importsOf = (file: string) =>
  [...readFileSync(join(src, file), 'utf8').matchAll(/(?:from|import\() ?'([^']+)'/g)].map(
    (match) => match[1] as string,
  );
const textsOf = (cell: string | undefined) =>
  [...(cell ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] as string);

/** The calls of a file: imports, comments and the heads of functions are gone, chains that were broken over lines joined. */
const codeOf = (path: string): string =>
  readText(path)
    .replace(/^import [^;]*;$/gm, '')
    .replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
    .replace(/\bfunction\*? \w+|^ {2}(?:async )?#?\w+(?=\(.*\{$)/gm, '')
    .replace(/\s+\./g, '.');

/** The cycles of a directed graph: paths from a node back to itself, each found once. */
function cyclesOf(targets: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const visit = (node: string, path: string[]): void => {
    const at = path.indexOf(node);
    if (at >= 0) cycles.push(path.slice(at));
    if (at >= 0 || done.has(node)) return;
    for (const target of targets.get(node) ?? []) visit(target, [...path, node]);
    done.add(node);
  };
  for (const node of targets.keys()) visit(node, []);
  return cycles;
}

describe('the stages', () => {
  const stages = rows(section(page, '## Roles, and their stages in order'));

  it.each(stages)('%s: %s: the calls stand in %s in this order', (_role, _start, file, cell) => {
    const code = codeOf(plain(file));
    let at = 0;
    for (const call of textsOf(cell)) {
      const found = code.indexOf(`${call}(`, at);
      expect(found, `${call} after what stands before it in ${plain(file)}`).toBeGreaterThanOrEqual(0);
      at = found + call.length;
    }
    expect(textsOf(cell).length).toBeGreaterThan(1);
  });

  it('belong to the roles that exist', () => {
    expect(new Set(stages.map(([role]) => role).filter(Boolean))).toEqual(new Set(ROLES));
  });
});

it.each(files)('src/%s starts with a comment that says what it does', (file) => {
  expect(readFileSync(join(src, file), 'utf8')).toMatch(/^(#!.*\n)?(\/\*\*|\/\/)/);
});

it('files that the page names are there', () => {
  for (const [, file] of page.matchAll(/`(src\/[a-z/.-]+\.ts)`/g))
    expect(existsSync(join(root, file as string)), file).toBe(true);
});

describe('the topics', () => {
  const kept = ({ cleanup, retention }: Topic) => (cleanup === 'compact' ? `${retention}, compacted` : retention);

  it('are those of topics.ts, with key, record and retention', () => {
    const named = rows(section(readText('docs/data.md'), '## Topics')).map(([name, key, record, , time]) => [
      plain(name),
      key,
      record === 'the untouched bytes' ? null : record,
      time,
    ]);
    const catalogue = Object.values(TOPICS).map((topic) => [topic.name, topic.key, topic.record, kept(topic)]);
    expect(named.toSorted()).toEqual(catalogue.toSorted());
  });

  it.each([
    [/outbox\.dispatches\(/, ['joiner']],
    [/outbox\.sensorStates\(/, ['joiner']],
    [/outbox\.taskEvents\(/, ['joiner', 'projector']],
    [/outbox\.deadLetters\(|writeDeadLetters\(/, ['joiner', 'projector', 'responder']],
  ])('%s is called by %j alone', (call, folders) => {
    const writers = files.filter((file) => file !== 'consumer.ts' && call.test(readFileSync(join(src, file), 'utf8')));
    expect([...new Set(writers.map((file) => file.split('/')[0]))].toSorted()).toEqual(folders);
  });
});

it('failures.md says for every kind of key how it is compared with the log', () => {
  const kindOf = (build: (...parts: never[]) => string) =>
    (build as (...parts: string[]) => string)('x', 'y').split(':')[1];
  const told = rows(section(readText('docs/failures.md'), '## Compare Redis with the log')).flatMap(([cell]) =>
    textsOf(cell),
  );
  expect(told.sort()).toEqual(Object.values(keys).map(kindOf).sort());
});

it('the Redis keys are those of keys.ts', () => {
  const named = rows(section(readText('docs/data.md'), '## Redis')).map(([key]) => plain(key));
  const isByPartition = (name: string) => name === 'facts' || name === 'presence';
  const built = Object.entries(keys).map(([name, build]) =>
    (build as (oid: string, second: unknown) => string)('oid', isByPartition(name) ? 'P' : 'ID'),
  );
  expect(named.toSorted()).toEqual(built.toSorted());
});

it('the folders are those of src', () => {
  const folders = readdirSync(src, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );
  const named = rows(section(page, '## Folders of src')).map(([folder]) => plain(folder));
  expect(named.toSorted()).toEqual(folders.toSorted());
});

it('the picture names the topics of the flow, and the roles', () => {
  const picture = readText('docs/flow.svg');
  for (const { name } of [TOPICS.commands, TOPICS.taskEvents, TOPICS.dispatch, TOPICS.presence, TOPICS.sensorEvents])
    expect(picture).toContain(`>${name}</text>`);
  for (const role of ROLES) expect(picture).toMatch(new RegExp(`>${role}<`));
});

describe('imports', () => {
  it('of client libraries stand in edges alone', () => {
    const isClient = (name: string) => /^(kafkajs|ioredis|avsc|@kafkajs\/.*)$/.test(name);
    const strangers = files.filter((file) => !file.startsWith('edges/') && importsOf(file).some(isClient));
    expect(strangers).toEqual([]);
  });

  it('of the web framework stand in edges and api alone', () => {
    const isWeb = (name: string) => name === 'fastify' || name.startsWith('@fastify/');
    const strangers = files.filter((file) => !/^(edges|api)\//.test(file) && importsOf(file).some(isWeb));
    expect(strangers).toEqual([]);
  });

  it('between files have no cycle, type imports included', () => {
    const sources = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
    const targets = new Map(
      sources.map((file) => [
        file,
        importsOf(file).flatMap((name) => (name.startsWith('.') ? [relative(src, join(src, file, '..', name))] : [])),
      ]),
    );
    const cycles = cyclesOf(targets);
    expect([...targets.values()].flat().length).toBeGreaterThan(sources.length);
    expect(cycles).toEqual([]);
    expect(
      cyclesOf(
        new Map([
          ['a', ['b']],
          ['b', ['c', 'd']],
          ['c', ['b']],
        ]),
      ),
    ).toEqual([['b', 'c']]);
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
    expect(edges.size).toBeGreaterThan(5);
    expect([...edges.keys()].filter((folder) => reaches(folder, folder))).toEqual([]);
  });
});
