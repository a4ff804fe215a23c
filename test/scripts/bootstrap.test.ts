import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { packageRoot } from '../../src/stack/paths.ts';

const dir = mkdtempSync(join(tmpdir(), 'rt-bootstrap-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function start(program: string, ...args: string[]): ChildProcessWithoutNullStreams {
  const script = join(dir, 'script.mts');
  writeFileSync(script, program);
  const bootstrap = join(packageRoot, 'scripts/bootstrap.mjs');
  // A session of its own: in a terminal a Ctrl-C would reach the script without our help, and nothing would be tested.
  return spawn(process.execPath, [bootstrap, '--quiet', relative(packageRoot, script), ...args], {
    cwd: dir,
    detached: true,
  });
}

async function outcome(child: ChildProcessWithoutNullStreams) {
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, output };
}

test('the script gets its arguments and working directory, prints alone, and its exit code is ours', async () => {
  const program = 'console.log(JSON.stringify([process.argv.slice(2), process.cwd()])); process.exitCode = 7;';
  const { code, output } = await outcome(start(program, 'a', 'b c', '--quiet'));
  expect(code).toBe(7);
  expect(JSON.parse(output)).toEqual([['a', 'b c', '--quiet'], dir]);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s reaches the script once', async (signal) => {
  const child = start(`let n = 0;
    process.on('${signal}', () => { n++; setTimeout(() => { console.log('signals', n); process.exit(5); }, 300); });
    setInterval(() => {}, 1000);
    console.log('ready');`);
  await once(child.stdout, 'data');
  child.kill(signal);
  child.kill(signal); // npm and a process group deliver it twice
  const { code, output } = await outcome(child);
  expect(output).toBe('signals 1\n');
  expect(code).toBe(5);
});

test('a script that dies of a signal makes us die of it', async () => {
  const { signal } = await outcome(start("process.kill(process.pid, 'SIGKILL')"));
  expect(signal).toBe('SIGKILL');
});

test('a script does not outlive a bootstrap that is killed', async () => {
  const child = start(
    "process.on('SIGTERM', () => { console.log('told'); process.exit(); }); setInterval(() => {}, 1000); console.log('ready');",
  );
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  // The pipe closes only when the script has ended too.
  const { output } = await outcome(child);
  expect(output).toBe('told\n');
});
