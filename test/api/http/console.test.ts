/** The files of the console as the API serves them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CONSOLE_POLICY, serveConsole } from '../../../src/api/http/console.ts';
import { createHttpServer, type HttpServer } from '../../../src/edges/http/server.ts';
import { Memory } from '../support/memory.ts';

const folder = mkdtempSync(join(tmpdir(), 'rt-console-'));
let server: HttpServer;

beforeAll(async () => {
  mkdirSync(join(folder, 'assets'));
  for (const [name, text] of [
    ['index.html', '<p>'],
    ['assets/a-1.js', 'plain'],
    ['assets/a-1.js.br', 'brotli'],
    ['assets/a-1.js.gz', 'gzip'],
  ] as const)
    writeFileSync(join(folder, name), text);
  const { config, log } = new Memory().ports();
  server = createHttpServer(config, log, { report: () => ({ ready: true, roles: {} }) });
  expect(await serveConsole(server, folder)).toBe('<p>');
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

test.each([
  ['gzip, deflate, br, zstd', 'br', 'brotli'],
  ['gzip', 'gzip', 'gzip'],
  ['identity', undefined, 'plain'],
  [undefined, undefined, 'plain'],
])('who takes %s is sent %s', async (takes, encoding, body) => {
  const headers = takes === undefined ? {} : { 'accept-encoding': takes };
  const answer = await server.inject({ url: '/console/assets/a-1.js', headers });
  expect([answer.statusCode, answer.headers['content-encoding'], answer.body]).toEqual([200, encoding, body]);
  expect(answer.headers).toMatchObject({ vary: 'accept-encoding', 'x-content-type-options': 'nosniff' });
  expect(answer.headers['content-type']).toContain('javascript');
  expect(answer.headers['cache-control']).toContain('immutable');
});

test('where nothing was built there is no page, and the policy names no host', async () => {
  expect(await serveConsole(server, join(folder, 'none'))).toBeNull();
  expect(CONSOLE_POLICY).not.toMatch(/https?:|unsafe|\*/);
});
