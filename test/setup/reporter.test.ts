import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, expect, test } from 'vitest';
import { packageRoot } from '../../src/stack/paths.ts';
import { unexplainedSkips } from './reporter.ts';

mkdirSync(join(packageRoot, '.cache'), { recursive: true });
// In the checkout, so that what the files import is found.
const dir = mkdtempSync(join(packageRoot, '.cache', 'reporter-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const FILES = {
  'good.test.ts': "test('works', () => {}); test('works too', () => {});",
  'bad.test.ts': "test('breaks', () => { throw new Error('broken'); }); test('works', () => {});",
  'unloadable.test.ts': "import './missing.ts';",
  'skipped.test.ts': "test.skip('later', () => {}); test.todo('someday');",
  'stray.test.ts':
    "test('is left alone', () => { setTimeout(() => { throw new Error('astray'); }); return new Promise((resolve) => setTimeout(resolve, 50)); });",
  'hanging.test.ts': "test('hangs', () => new Promise(() => {}), 60_000);",
};
for (const [name, text] of Object.entries(FILES))
  writeFileSync(join(dir, name), `import { test } from 'vitest';\n${text}\n`);
writeFileSync(
  join(dir, 'vitest.config.ts'),
  `import { SummaryReporter } from ${JSON.stringify(join(packageRoot, 'test/setup/reporter.ts'))};
  export default { test: { reporters: [new SummaryReporter(Number(process.env.BOUND_MINUTES))] } };`,
);

async function run(args: string[], boundMinutes = 1): Promise<{ code: number | undefined; lines: string[] }> {
  const vitest = join(packageRoot, 'node_modules/vitest/vitest.mjs');
  const { exitCode, stdout } = await execa(process.execPath, [vitest, 'run', ...args], {
    cwd: dir,
    env: { BOUND_MINUTES: String(boundMinutes) },
    reject: false,
  });
  return { code: exitCode, lines: stdout.split('\n') };
}

test('the last line counts the tests of all files, and 0 is the exit code when nothing failed', async () => {
  expect(await run(['good'])).toEqual({ code: 0, lines: ['2 passed, 0 failed, 0 skipped'] });
});

test('each failure has a line: a test, a file that does not load, a skip without a reason', async () => {
  const { code, lines } = await run(['good', 'bad', 'unloadable', 'skipped']);
  expect(code).toBe(1);
  expect(lines.at(-1)).toBe('3 passed, 2 failed, 2 skipped');
  expect(lines.slice(0, -1).toSorted()).toEqual([
    'failed: bad.test.ts: breaks',
    'failed: unloadable.test.ts',
    'skipped without a reason in test/skips.json: skipped.test.ts: later',
    'skipped without a reason in test/skips.json: skipped.test.ts: someday',
  ]);
});

test('an error outside of tests is a failure', async () => {
  expect(await run(['stray'])).toEqual({ code: 1, lines: ['failed: astray', '1 passed, 1 failed, 0 skipped'] });
});

test('tests that a pattern leaves out do not count', async () => {
  expect(await run(['good', '-t', 'too'])).toEqual({ code: 0, lines: ['1 passed, 0 failed, 0 skipped'] });
});

test('a run that takes too long ends, and the test file that it was in is named', async () => {
  const { code, lines } = await run(['hanging'], 0.05);
  expect(code).toBe(1);
  expect(lines[0]).toMatch(/^failed: the run was stopped after \d+ s, in hanging\.test\.ts$/);
  expect(lines.slice(1)).toEqual(['0 passed, 1 failed, 0 skipped']);
});

test('a reason explains a skipped test by its name or by its file; an empty one does not', () => {
  const skips = [
    { file: 'a.test.ts', test: 'one' },
    { file: 'a.test.ts', test: 'two' },
    { file: 'b.test.ts', test: 'x' },
  ];
  const tally = { passed: 0, failures: [], skips };
  const allowed = [
    { test: 'one', reason: 'needs Java 21' },
    { test: 'b.test.ts', reason: 'needs Java 21' },
    { test: 'two', reason: ' ' },
  ];
  expect(unexplainedSkips(tally, allowed)).toEqual(['a.test.ts: two']);
});
