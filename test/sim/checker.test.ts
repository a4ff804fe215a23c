/** Proves the checker: it finds each planted bug, as a violation of the right invariant and of no other. */
import { describe, expect, it } from 'vitest';
import { BUGS, type Bug } from './bugs.ts';
import { run } from './run.ts';

const SEEDS = Array.from({ length: 12 }, (_, i) => i + 1);
const FAULTS = [
  'is killed',
  'is paused',
  'one joiner',
  'FLUSHALL',
  'redis is replaced',
  'redis cannot be reached',
  'redis is slow',
  'connections to redis break',
  'the broker is away',
  'the broker is unwell',
  'the broker is slow',
];
const ALL = ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8'];

async function violations(seeds: number[], bug?: Bug): Promise<Set<string>> {
  const found = new Set<string>();
  for (const seed of seeds) {
    const { violation } = await run({ seed, ...(bug ? { bug } : {}) });
    if (violation) found.add(violation.invariant);
  }
  return found;
}

describe('the checker', () => {
  it('finds nothing in the same seeds without a planted bug', async () => {
    expect(await violations(SEEDS)).toEqual(new Set());
  });

  it.each(Object.entries(BUGS))('finds the planted bug: %s', async (_name, bug) => {
    expect(await violations(SEEDS, bug)).toEqual(new Set([bug.invariant]));
  });

  it('has a planted bug for each invariant', () => {
    expect(new Set(Object.values(BUGS).map(({ invariant }) => invariant))).toEqual(new Set(ALL));
  });
});

describe('a run', () => {
  it('is the same every time for the same seed', async () => {
    const lines = async () => {
      const trace: string[] = [];
      await run({ seed: 4, steps: 100, trace: (line) => trace.push(line) });
      return trace;
    };
    const first = await lines();
    expect(first.length).toBeGreaterThan(100);
    expect(await lines()).toEqual(first);
  });

  it('has enough records and faults of every kind', async () => {
    const total = { dispatches: 0, copies: 0, settled: 0, deadLetters: 0 };
    const seen = new Set<string>();
    for (const seed of SEEDS) {
      const trace = (line: string) => {
        for (const fault of FAULTS) if (line.includes(fault)) seen.add(fault);
      };
      const { stats } = await run({ seed, trace });
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += stats[name];
    }
    expect(total.dispatches).toBeGreaterThan(500);
    expect(total.settled).toBeGreaterThan(300);
    expect(total.copies).toBeGreaterThan(0);
    expect(total.deadLetters).toBeGreaterThan(100);
    expect([...seen].toSorted()).toEqual(FAULTS.toSorted());
  });
});
