// The order of the test files in a run: first those that take longest, so that the last ones end at about the same time on all
// workers. Vitest sorts by the times of earlier runs, which a fresh checkout does not have.

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Ends of paths, in this order. */
const LONGEST = [
  'checks/typecheck.test.ts',
  'checks/lint.test.ts',
  'chaos/chaos.test.ts',
  ...[
    'console',
    'outage',
    'clients',
    'kill',
    'transactions',
    'oversized',
    'faults',
    'group',
    'fuzz',
    'local-servers',
  ].map((name) => `integration/${name}.test.ts`),
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const groupOf = ({ project }: TestSpecification) => project.config.sequence.groupOrder;
    return sorted.toSorted((a, b) => groupOf(a) - groupOf(b) || rankOf(a) - rankOf(b));
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const rank = LONGEST.findIndex((end) => moduleId.endsWith(end));
  return rank === -1 ? LONGEST.length : rank;
}
