import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cached, pomOf } from '../../../src/stack/local/downloads.ts';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'rt-cache-'));
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

test('a download is made once', async () => {
  let fills = 0;
  const fill = async (folder: string) => {
    fills++;
    writeFileSync(join(folder, 'file'), 'whole');
  };
  const first = await cached('thing-1', fill, cache);
  expect(await cached('thing-1', fill, cache)).toBe(first);
  expect(fills).toBe(1);
  expect(readFileSync(join(first, 'file'), 'utf8')).toBe('whole');
});

test('one that fails leaves nothing, and the next try succeeds', async () => {
  const broken = async (folder: string) => {
    writeFileSync(join(folder, 'half'), '');
    throw new Error('network down');
  };
  await expect(cached('thing-1', broken, cache)).rejects.toThrow('network down');
  expect(readdirSync(cache)).toEqual([]);
  await cached('thing-1', async () => {}, cache);
  expect(readdirSync(cache)).toEqual(['thing-1']);
});

test('two at the same time end with one whole folder', async () => {
  const bothIn = Promise.withResolvers<void>();
  let inside = 0;
  const fill = async (folder: string) => {
    inside++;
    if (inside === 2) bothIn.resolve();
    await bothIn.promise;
    writeFileSync(join(folder, 'file'), 'whole');
  };
  const [a, b] = await Promise.all([cached('thing-1', fill, cache), cached('thing-1', fill, cache)]);
  expect(a).toBe(b);
  expect(readdirSync(cache)).toEqual(['thing-1']);
  expect(readdirSync(a)).toEqual(['file']);
});

test('what a killed download left is removed later, a download that runs is not', async () => {
  const folder = (name: string, ageHours: number) => {
    mkdirSync(join(cache, name));
    const time = Date.now() / 1000 - ageHours * 3600;
    utimesSync(join(cache, name), time, time);
  };
  folder('thing-1.part-old', 2);
  folder('thing-1.part-new', 0);
  await cached('thing-1', async () => {}, cache);
  expect(readdirSync(cache).sort()).toEqual(['thing-1', 'thing-1.part-new']);
});

test('a pom names its artifacts', () => {
  expect(pomOf(['org.apache.kafka:kafka_2.13:4.3.1'])).toContain(
    '<groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.3.1</version>',
  );
});
