import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startServer, untilReady } from '../../../src/stack/local/server.ts';
import { isAlive, markOf } from '../../../src/stack/process/pids.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rt-server-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function nodeServer(program: string) {
  const outFile = join(dir, 'out.log');
  return { name: 'Test server', command: process.execPath, args: ['-e', program], cwd: dir, outFile };
}
const forever = 'setInterval(() => {}, 1000)';

test('a server stops when asked, and a second stop changes nothing', async () => {
  const server = await startServer(nodeServer(forever));
  expect(server.running()).toBe(true);
  await server.stop();
  expect(await server.exited).toBe('signal SIGTERM');
  expect(server.running()).toBe(false);
  await server.stop();
});

test('a program that is not there is a sentence', async () => {
  const missing = { ...nodeServer(''), command: join(dir, 'nothing') };
  await expect(startServer(missing)).rejects.toThrow(/Test server can't be run/);
});

test('a server that ends at its start is reported with its last words', async () => {
  const server = await startServer(nodeServer("console.log('no disk left'); process.exit(3)"));
  const ready = untilReady(server, async () => false, { deadlineMs: 10_000, logFile: join(dir, 'out.log') });
  await expect(ready).rejects.toThrow(/ended at its start \(exit code 3\)(.|\n)*no disk left/);
});

test('a server that never answers is ended', async () => {
  const server = await startServer(nodeServer(forever));
  const ready = untilReady(server, async () => false, { deadlineMs: 200, logFile: join(dir, 'out.log') });
  await expect(ready).rejects.toThrow(/did not answer within 0.2 s/);
  expect(server.running()).toBe(false);
});

test('a parent that is killed takes its server and the folder for its data along', async () => {
  const data = join(dir, 'data');
  mkdirSync(data);
  const source = join(import.meta.dirname, '../../../src/stack/local/server.ts');
  const wanted = { ...nodeServer(forever), cwd: data, removeAfterDeath: true };
  const program = join(dir, 'parent.mjs');
  writeFileSync(
    program,
    `import { startServer } from ${JSON.stringify(source)};
    const server = await startServer(${JSON.stringify(wanted)});
    console.log(server.pid);
    setInterval(() => {}, 1000);`,
  );
  const parent = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const mark = markOf(Number(line.toString()));
  if (mark === undefined) throw new Error('the server does not run');

  parent.kill('SIGKILL');
  await vi.waitFor(() => expect(isAlive(mark)).toBe(false), { timeout: 10_000, interval: 50 });
  await vi.waitFor(() => expect(existsSync(data)).toBe(false), { timeout: 10_000, interval: 50 });
}, 30_000);
