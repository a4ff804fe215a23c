import { describe, expect, test } from 'vitest';
import {
  addTallies,
  countLine,
  tallyOfStep,
  tallyOfVitest,
  unexplainedSkips,
  type VitestReport,
} from '../../scripts/test-report.ts';

function report(
  ...files: [name: string, status: string, ...tests: [fullName: string, status: string][]][]
): VitestReport {
  return {
    testResults: files.map(([name, status, ...tests]) => ({
      name,
      status,
      assertionResults: tests.map(([fullName, result]) => ({ fullName, status: result })),
    })),
  };
}

describe("a vitest report's tally", () => {
  test('counts each test once, by its file below the root', () => {
    const given = report(
      ['/r/test/a.test.ts', 'failed', ['works', 'passed'], ['breaks', 'failed']],
      ['/r/test/b.test.ts', 'passed', ['later', 'skipped'], ['someday', 'todo'], ['never', 'pending']],
    );
    const tally = tallyOfVitest(given, false, 'unit tests', '/r');
    expect(tally.passed).toBe(1);
    expect(tally.failures).toEqual(['test/a.test.ts: breaks']);
    expect(tally.skips.map((skip) => skip.test)).toEqual(['later', 'someday', 'never']);
    expect(tally.skips[0]?.file).toBe('test/b.test.ts');
  });

  test('a file that could not be loaded is a failure', () => {
    const tally = tallyOfVitest(report(['/r/test/a.test.ts', 'failed']), false, 'unit tests', '/r');
    expect(tally.failures).toEqual(['test/a.test.ts']);
  });

  test.each([
    ['an error outside of tests', report(['/r/a', 'passed', ['works', 'passed']])],
    ['no report', undefined],
  ])('%s fails the step', (_, given) => {
    expect(tallyOfVitest(given, false, 'unit tests', '/r').failures).toEqual(['unit tests']);
  });
});

describe('skipped tests', () => {
  const skipped = tallyOfVitest(
    report(
      ['/r/a.test.ts', 'passed', ['one', 'skipped'], ['two', 'skipped']],
      ['/r/b.test.ts', 'passed', ['x', 'skipped']],
    ),
    true,
    'unit tests',
    '/r',
  );
  test('need a reason, by test or by file', () => {
    const allowed = [
      { test: 'one', reason: 'needs Java 21' },
      { test: 'b.test.ts', reason: 'needs Java 21' },
    ];
    expect(unexplainedSkips(skipped, allowed)).toEqual(['a.test.ts: two']);
  });
  test('an empty reason is none', () => {
    expect(unexplainedSkips(skipped, [{ test: 'one', reason: ' ' }])).toHaveLength(3);
  });
});

test('the last line counts everything', () => {
  const all = addTallies([
    tallyOfStep('lint', true),
    tallyOfStep('typecheck', false),
    tallyOfVitest(report(['/r/a', 'passed', ['t', 'passed'], ['s', 'skipped']]), true, 'unit tests', '/r'),
  ]);
  expect(countLine(all)).toBe('2 passed, 1 failed, 1 skipped');
  expect(all.failures).toEqual(['typecheck']);
});
