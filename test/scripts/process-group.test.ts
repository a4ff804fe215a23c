import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { startGroup } from '../../scripts/process-group.ts';
import { packageRoot } from '../../src/stack/paths.ts';
import { endMarked, isAlive, markOf, type ProcessMark } from '../../src/stack/process/pids.ts';

const dir = mkdtempSync(join(tmpdir(), 'rt-group-'));
const soon = { timeout: 10_000, interval: 20 };
let marks: ProcessMark[] = [];
afterEach(() => Promise.all(marks.map((mark) => endMarked(mark, 0))));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const program = join(dir, 'tree.cjs');
writeFileSync(
  program,
  `const [, program, file, isChild] = process.argv;
  if (isChild) process.on('SIGTERM', () => {});
  else require('node:child_process').spawn(process.execPath, [program, file, 'child'], { stdio: 'inherit' });
  require('node:fs').appendFileSync(file, process.pid + '\\n');
  setInterval(() => {}, 1000);`,
);

let trees = 0;

/** A shell, a Node below it, and one below that which does not listen to SIGTERM; the file has their pids, one a line. */
function tree(): { args: string[]; file: string } {
  trees += 1;
  const file = join(dir, `pids-${trees}`);
  return { args: ['-c', `echo $$ > ${file}; "${process.execPath}" ${program} ${file}; true`], file };
}

async function marksIn(file: string): Promise<ProcessMark[]> {
  marks = await vi.waitFor(() => {
    const pids = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
    expect(pids).toHaveLength(3);
    return pids.map((pid) => markOf(Number(pid)) as ProcessMark);
  }, soon);
  expect(marks).not.toContain(undefined);
  return marks;
}

/** The system takes a moment to end what is killed. */
const allEnd = (started: ProcessMark[]) => vi.waitFor(() => expect(started.filter(isAlive)).toEqual([]), soon);

test('everything that the program has started ends when it is stopped', async () => {
  const { args, file } = tree();
  const group = startGroup('/bin/sh', args);
  const started = await marksIn(file);
  group.stop();
  expect(await group.ended).not.toBe(0);
  await allEnd(started);
});

test('everything that the program has started ends with it', async () => {
  const { args, file } = tree();
  const group = startGroup('/bin/sh', args);
  const started = await marksIn(file);
  process.kill((started[0] as ProcessMark).pid, 'SIGKILL');
  expect(await group.ended).toBe(1);
  await allEnd(started);
});

test('kill -9 of the script ends the group', async () => {
  const { args, file } = tree();
  const script = join(dir, 'script.mts');
  const source = JSON.stringify(join(packageRoot, 'scripts/process-group.ts'));
  writeFileSync(
    script,
    `import { startGroup } from ${source};
    await startGroup('/bin/sh', ${JSON.stringify(args)}).ended;`,
  );
  const parent: ChildProcess = spawn(process.execPath, [script], { stdio: 'ignore' });
  const started = await marksIn(file);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await allEnd(started);
});

test('the exit code is that of the program', async () => {
  const codeOf = (command: string, ...args: string[]) => startGroup(command, args).ended;
  expect(await codeOf(process.execPath, '-e', '')).toBe(0);
  expect(await codeOf(process.execPath, '-e', 'process.exitCode = 3')).toBe(3);
  expect(await codeOf('/nonexistent')).toBe(1);
});
