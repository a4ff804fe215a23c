import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { createSteps } from '../../scripts/step.ts';
import { packageRoot } from '../../src/stack/paths.ts';
import { endMarked, isAlive, markOf, type ProcessMark } from '../../src/stack/process/pids.ts';

const dir = mkdtempSync(join(tmpdir(), 'rt-step-'));
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

test('everything that a step has started ends with it, and no step starts after the stop', async () => {
  const { args, file } = tree();
  const steps = createSteps();
  const result = steps.run('/bin/sh', args, { boundMs: 60_000, quiet: true });
  const started = await marksIn(file);
  await steps.stop();
  await allEnd(started);
  expect(await result).toMatchObject({ ok: false, timedOut: false });
  expect(await steps.run(process.execPath, ['-e', ''], { boundMs: 60_000 })).toMatchObject({ ok: false });
});

test('a step that takes too long ends with all that it has started', async () => {
  const { args, file } = tree();
  const result = createSteps().run('/bin/sh', args, { boundMs: 1_500, quiet: true });
  const started = await marksIn(file);
  expect(await result).toMatchObject({ ok: false, timedOut: true });
  await allEnd(started);
});

test('kill -9 of the script ends its steps and all that they have started', async () => {
  const { args, file } = tree();
  const script = join(dir, 'script.mts');
  const source = JSON.stringify(join(packageRoot, 'scripts/step.ts'));
  writeFileSync(
    script,
    `import { createSteps } from ${source};
    await createSteps().run('/bin/sh', ${JSON.stringify(args)}, { boundMs: 60_000 });`,
  );
  const parent: ChildProcess = spawn(process.execPath, [script], { stdio: 'ignore' });
  const started = await marksIn(file);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await allEnd(started);
});

test('a step answers whether it succeeded, and what it printed', async () => {
  const run = (code: string) => createSteps().run(process.execPath, ['-e', code], { boundMs: 60_000, quiet: true });
  expect(await run("console.log('out')")).toEqual({ ok: true, output: 'out\n', timedOut: false });
  expect(await run("console.error('err'); process.exitCode = 3")).toEqual({
    ok: false,
    output: 'err\n',
    timedOut: false,
  });
  const missing = await createSteps().run('/nonexistent', [], { boundMs: 60_000, quiet: true });
  expect(missing).toMatchObject({ ok: false, output: expect.stringContaining('ENOENT') });
});
