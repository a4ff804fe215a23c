/**
 * Which pairs of some tasks are still due: the sensor matches the task (and the target, if there is one), and the pair is
 * neither done, failed nor removed. One pass over the sensors serves all tasks; distinct selectors are evaluated once.
 */
import type { Pair, TaskRecord } from '../model/task.ts';
import { compileSelector, type SelectorAst, SelectorSet } from '../selector/index.ts';
import type { ApiContext } from './actions/context.ts';
import { type SeenSensor, sensorsFor, treeOf } from './sensors.ts';
import { isDue } from './task-view.ts';

export type TaskPairs = { task: TaskRecord; pairs: ReadonlyMap<string, Pair> };

const READS_AT_ONCE = 16;

/** The pairs of each task; a few questions are under way at a time. */
export async function readPairsOf(
  { reads }: Pick<ApiContext, 'reads'>,
  oid: string,
  tasks: readonly TaskRecord[],
): Promise<TaskPairs[]> {
  const found: TaskPairs[] = [];
  for (let at = 0; at < tasks.length; at += READS_AT_ONCE) {
    const some = tasks.slice(at, at + READS_AT_ONCE);
    found.push(
      ...(await Promise.all(some.map(async (task) => ({ task, pairs: await reads.readPairs(oid, task.taskId) })))),
    );
  }
  return found;
}

/** Calls `found` for every pair whose sensor matches task and target, and that `isWanted`: by default, that is due. When
 *  it answers 'enough', that task is looked for no more. */
export async function eachMatch(
  context: Pick<ApiContext, 'reads' | 'nowMs' | 'presencePartitions' | 'presencePartitionOf' | 'decodeState'>,
  oid: string,
  tasks: readonly TaskPairs[],
  target: SelectorAst | null,
  found: (task: TaskRecord, sensor: SeenSensor) => 'enough' | undefined,
  isWanted: (pair: Pair | undefined, task: TaskRecord) => boolean = isDue,
): Promise<void> {
  const wanted = new SelectorSet<TaskPairs>();
  const trees: SelectorAst[] = [];
  for (const entry of tasks) {
    const tree = treeOf(entry.task.command.selector);
    if (tree === null) continue;
    wanted.add(entry.task.taskId, tree, entry);
    trees.push(tree);
  }
  const isTarget = target === null ? () => true : compileSelector(target);
  if (wanted.size === 0) return;
  for await (const page of sensorsFor(context, oid, target === null ? trees : [target])) {
    for (const sensor of page) {
      if (isTarget(sensor.record) !== true) continue;
      for (const { task, pairs } of wanted.match(sensor.record))
        if (isWanted(pairs.get(sensor.sid), task) && found(task, sensor) === 'enough') wanted.delete(task.taskId);
    }
    if (wanted.size === 0) return;
  }
}
