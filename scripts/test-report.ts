// Reads vitest's JSON report and adds up what a run of `npm test` did. Pure: files are read and processes are run by test.ts.

/** The part of vitest's JSON report that is read here. */
export type VitestReport = {
  testResults: {
    name: string;
    status: string;
    message?: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
};

/** `skips` names each skipped test; `failures` each failed one. */
export type Tally = { passed: number; failures: string[]; skips: { file: string; test: string }[] };

/** A line of test/skips.json: a test's full name or a file (from the checkout's root), and why it may be skipped. */
export type AllowedSkip = { test: string; reason: string };

export const emptyTally: Tally = { passed: 0, failures: [], skips: [] };

export function addTallies(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((sum, tally) => sum + tally.passed, 0),
    failures: tallies.flatMap((tally) => tally.failures),
    skips: tallies.flatMap((tally) => tally.skips),
  };
}

/** A step that is one check by itself, such as the type check. */
export function tallyOfStep(name: string, ok: boolean): Tally {
  return ok ? { ...emptyTally, passed: 1 } : { ...emptyTally, failures: [name] };
}

/** Counts a report. A file that could not be loaded is one failure. A vitest that failed while no test did (an error outside of
 *  tests, no report at all, time over) is one too: `step` names it. `root` is cut off the names of files. */
export function tallyOfVitest(
  report: VitestReport | undefined,
  exitedWell: boolean,
  step: string,
  root: string,
): Tally {
  const tally: Tally = { passed: 0, failures: [], skips: [] };
  for (const result of report?.testResults ?? []) {
    const file = result.name.startsWith(root) ? result.name.slice(root.length).replace(/^[/\\]/, '') : result.name;
    const failedBefore = tally.failures.length;
    for (const { fullName, status } of result.assertionResults) {
      if (status === 'passed') tally.passed++;
      else if (status === 'failed') tally.failures.push(`${file}: ${fullName}`);
      else tally.skips.push({ file, test: fullName });
    }
    if (result.status === 'failed' && tally.failures.length === failedBefore) tally.failures.push(file);
  }
  if (!exitedWell && tally.failures.length === 0) tally.failures.push(step);
  return tally;
}

/** The skipped tests that nobody gave a reason for. */
export function unexplainedSkips(tally: Tally, allowed: readonly AllowedSkip[]): string[] {
  const explained = new Set(allowed.filter(({ reason }) => reason.trim() !== '').map(({ test }) => test));
  return tally.skips
    .filter(({ file, test }) => !explained.has(file) && !explained.has(test))
    .map(({ file, test }) => `${file}: ${test}`);
}

/** The last line of a run. */
export function countLine(tally: Tally): string {
  return `${tally.passed} passed, ${tally.failures.length} failed, ${tally.skips.length} skipped`;
}
