/** How deliveries are read in batches, and target sensors kept, so that memory stays bounded; the answers are in actions.test.ts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deliveriesOf, dueFor, TargetSensors } from '../../../src/api/tasks/open-deliveries.ts';
import type { Delivery, TaskRecord } from '../../../src/model/task.ts';
import { parseSelector } from '../../../src/selector/language/parse.ts';
import { OID } from '../../command/orgs.ts';
import { Memory } from '../support/memory.ts';

const taskOf = (taskId: string, selector: string | null = null) =>
  ({ taskId, command: { selector } }) as unknown as TaskRecord;

describe('deliveries of tasks', () => {
  test('come for every task once and in order, never many more at a time than the bound', async () => {
    const sizes = fc.array(fc.constantFrom(0, 1, 3, 90_000, 250_000), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(sizes, async (counts) => {
        const tasks = counts.map((_, i) => taskOf(String(i)));
        const reads = {
          countDeliveries: async (_oid: string, ids: readonly string[]) => ids.map((id) => counts[Number(id)] ?? 0),
          readDeliveries: async () => new Map<string, Delivery>(),
        };
        const seen: string[] = [];
        for await (const batch of deliveriesOf({ reads } as never, OID, tasks)) {
          const size = batch.reduce((sum, { task }) => sum + (counts[Number(task.taskId)] ?? 0), 0);
          const last = counts[Number(batch.at(-1)?.task.taskId)] ?? 0;
          expect(size - last).toBeLessThan(200_000);
          seen.push(...batch.map(({ task }) => task.taskId));
        }
        expect(seen).toEqual(tasks.map(({ taskId }) => taskId));
      }),
      { numRuns: 50 },
    );
  });
});

describe('the sensors of a target', () => {
  test('are read once for many batches of tasks, and deliveries only of tasks that they match', async () => {
    const memory = new Memory();
    for (const sid of ['a', 'b', 'c']) memory.addSensor(sid, { tags: sid === 'c' ? [] : ['t'] });
    const asked: string[] = [];
    memory.onRead = (name) => asked.push(name);
    const source = { ...memory.ports(), reads: memory.projection() } as never;
    const sensors = new TargetSensors(source, OID, parseSelector('t in tags'));
    const tasks = [taskOf('all'), taskOf('other', 'sid == c'), taskOf('mine', 'sid == b'), taskOf('done', 'sid == a')];
    memory.setDelivery('done', 'a', { state: 'done' });
    const found: string[] = [];
    for (let round = 0; round < 3; round += 1)
      for await (const entries of dueFor(source, OID, tasks, sensors))
        found.push(...entries.map(({ task }) => task.taskId));
    expect(found).toEqual(['all', 'mine', 'all', 'mine', 'all', 'mine']);
    expect(asked.filter((name) => name === 'readDeliveries')).toHaveLength(9);
  });
});
