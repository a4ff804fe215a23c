import { expect, it } from 'vitest';
import { sharedBy, sharedRuns } from '../../src/async/shared-runs.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

it('gives nobody the answer of a run that began before he asked, and one answer to all who ask meanwhile', async () => {
  const runs: PromiseWithResolvers<number>[] = [];
  const ask = sharedRuns(() => {
    const run = Promise.withResolvers<number>();
    runs.push(run);
    return run.promise;
  });
  const first = ask();
  const later = [ask(), ask()];
  expect(runs).toHaveLength(1);
  runs[0]!.resolve(1);
  await settle();
  expect(runs).toHaveLength(2);
  runs[1]!.resolve(2);
  expect([await first, ...(await Promise.all(later))]).toEqual([1, 2, 2]);
  const failing = ask();
  const after = ask();
  runs[2]!.reject(new Error('away'));
  await expect(failing).rejects.toThrow('away');
  await settle();
  runs[3]!.resolve(4);
  expect(await after).toBe(4);
});

it('asks once for each thing that is asked for at the same time', async () => {
  const asked: number[] = [];
  const ask = sharedBy(async (key: number) => {
    asked.push(key);
    return key;
  });
  expect(await Promise.all([ask(1), ask(1), ask(2)])).toEqual([1, 1, 2]);
  expect(await ask(1)).toBe(1);
  expect(asked).toEqual([1, 2, 1]);
});
