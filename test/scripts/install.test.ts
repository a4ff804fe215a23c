/** How bootstrap.mjs installs: in a checkout without packages, with an npm of our own. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test, vi } from 'vitest';
import { packageRoot } from '../../src/stack/paths.ts';
import { startTime } from '../../src/stack/process/pids.ts';

const checkout = mkdtempSync(join(tmpdir(), 'rt-install-'));
afterAll(() => rmSync(checkout, { recursive: true, force: true }));
mkdirSync(join(checkout, 'scripts'));
copyFileSync(join(packageRoot, 'scripts/bootstrap.mjs'), join(checkout, 'scripts/bootstrap.mjs'));
writeFileSync(join(checkout, 'package-lock.json'), '{"packages":{"":{}}}');

/** A first `npm test` there; `npm` is the text of the npm that it finds. */
function start(npm: string, ...flags: string[]): ChildProcessWithoutNullStreams {
  const program = join(checkout, 'npm.js');
  writeFileSync(program, npm);
  return spawn(process.execPath, [...flags, 'scripts/bootstrap.mjs', 'scripts/script.ts'], {
    cwd: checkout,
    env: { ...process.env, npm_execpath: program },
    detached: true,
  });
}

const soon = { timeout: 10_000, interval: 50 };

/** An npm that takes its time, with a child that does so too, and that does not listen to SIGTERM. */
const SLOW = `
  const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  process.stderr.write([process.pid, child.pid].join(' ') + '\\n');
  setInterval(() => {}, 1000);
`;

test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const)(
  '%s while npm installs leaves no process',
  async (signal) => {
    const child = start(SLOW);
    const pids = await new Promise<number[]>((resolve) => {
      let output = '';
      child.stderr.on('data', (chunk) => {
        output += chunk;
        const found = /^(\d+) (\d+)$/m.exec(output);
        if (found) resolve([Number(found[1]), Number(found[2])]);
      });
    });
    expect(pids.map(startTime)).not.toContain(undefined);
    child.kill(signal);
    const [, endedBy] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    expect(endedBy).toBe(signal);
    await vi.waitFor(() => expect(pids.map(startTime)).toEqual([undefined, undefined]), soon);
  },
);

test('a failing npm shows why, and one sentence says what to do', async () => {
  const child = start("console.error('npm error code ENOTFOUND'); process.exitCode = 1;");
  const [output] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect(child.exitCode).toBe(1);
  expect(output).toMatch(/^npm error code ENOTFOUND$/m);
  expect(output).toMatch(/^npm ci failed.*npm config get registry.*\.$/m);
});

test('a Node that is too old is named before anything is installed', async () => {
  const versions = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.19.0' } })";
  const child = start(
    "console.error('npm was run')",
    '--import',
    `data:text/javascript,${encodeURIComponent(versions)}`,
  );
  const [output] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect(child.exitCode).toBe(1);
  expect(output).toMatch(/^This checkout needs Node 20 or newer; this is Node 18\.19\.0\..*\n$/);
});
