/** What `npm ci` needs of package-lock.json on every platform. npm itself says so only where the file is used. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/stack/paths.ts';

type Package = {
  resolved?: string;
  link?: boolean;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
};

const readJson = (name: string) => JSON.parse(readFileSync(join(packageRoot, name), 'utf8'));
const packages = readJson('package-lock.json').packages as Record<string, Package>;

/** True when a package at `path` finds `name` as Node looks for it: in its own folder, or in one around it. */
function finds(path: string, name: string): boolean {
  if (Object.hasOwn(packages, `${path === '' ? '' : `${path}/`}node_modules/${name}`)) return true;
  return path !== '' && finds(path.slice(0, Math.max(path.lastIndexOf('/node_modules/'), 0)), name);
}

test.each(['dependencies', 'optionalDependencies'] as const)(
  'the lock file has all %s that its packages name, those for other platforms too',
  (kind) => {
    const missing = Object.entries(packages).flatMap(([path, one]) =>
      Object.keys(one[kind] ?? {})
        .filter((name) => !finds(path, name))
        .map((name) => `${path} needs ${name}`),
    );
    expect(missing).toEqual([]);
  },
);

test('the lock file asks for what package.json asks for', () => {
  const { dependencies, devDependencies } = readJson('package.json') as Package;
  expect(packages['']).toMatchObject({ dependencies, devDependencies });
});

test('the lock file names no host, so that each installs from the registry of their own settings', () => {
  expect(Object.entries(packages).filter(([, one]) => one.resolved !== undefined)).toEqual([]);
});
