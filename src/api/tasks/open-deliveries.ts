/**
 * Which deliveries of some tasks are still due: the sensor matches the task (and the target, if there is one), and the delivery is not
 * done, failed or removed. One pass over the sensors serves many tasks; equal selectors are evaluated once. Memory holds the deliveries
 * of a few tasks and, of a target, a few sensors, independent of how many there are.
 */
import type { Delivery, TaskRecord } from '../../model/task.ts';
import type { SelectorAst } from '../../selector/ast.ts';
import { SelectorSet } from '../../selector/engine/selector-set.ts';
import { compileSelector } from '../../selector/evaluate/compile.ts';
import type { ApiContext } from '../actions/action.ts';
import { newSlices, type SeenSensor, sensorsFor, treeOf } from '../sensors/sensors.ts';
import { isDue } from './task-view.ts';

export type TaskDeliveries = { task: TaskRecord; deliveries: ReadonlyMap<string, Delivery> };

type Source = Pick<ApiContext, 'reads' | 'nowMs' | 'presencePartitions' | 'presencePartitionOf' | 'decodeState'>;

const READS_AT_ONCE = 16;
/** Deliveries in memory at a time. A task with more of them is a batch of its own. */
const DELIVERIES_AT_ONCE = 200_000;
/** Sensors of a target that are kept from one batch of tasks to the next. */
const SENSORS_KEPT = 5_000;

/** The tasks with their deliveries, in batches, with a few reads at a time. */
export async function* deliveriesOf(
  { reads }: Pick<ApiContext, 'reads'>,
  oid: string,
  tasks: readonly TaskRecord[],
): AsyncGenerator<TaskDeliveries[]> {
  const ids = tasks.map(({ taskId }) => taskId);
  const sizes = await reads.countDeliveries(oid, ids);
  for (let at = 0; at < tasks.length; ) {
    const batch: TaskDeliveries[] = [];
    for (let room = DELIVERIES_AT_ONCE; at < tasks.length && (batch.length === 0 || room > 0); ) {
      let end = at;
      do room -= sizes[end++] ?? 0;
      while (end < tasks.length && end - at < READS_AT_ONCE && room > 0);
      const some = tasks.slice(at, end);
      batch.push(
        ...(await Promise.all(
          some.map(async (task) => ({ task, deliveries: await reads.readDeliveries(oid, task.taskId) })),
        )),
      );
      at = end;
    }
    yield batch;
  }
}

/** The sensors of a target (null: all), read once for each batch of tasks. If they are few, they are read once and kept. */
export class TargetSensors {
  readonly #source: Source;
  readonly #oid: string;
  readonly #target: SelectorAst | null;
  #kept: SeenSensor[] | null = null;

  constructor(source: Source, oid: string, target: SelectorAst | null) {
    this.#source = source;
    this.#oid = oid;
    this.#target = target;
  }

  /** Pages of the sensors that any of `selectors` could match. */
  async *pages(selectors: readonly SelectorAst[]): AsyncGenerator<SeenSensor[]> {
    const target = this.#target;
    if (target === null) yield* sensorsFor(this.#source, this.#oid, selectors);
    else if (this.#kept !== null) yield this.#kept;
    else {
      const isTarget = compileSelector(target);
      const slices = newSlices();
      let kept: SeenSensor[] | null = [];
      for await (const page of sensorsFor(this.#source, this.#oid, [target])) {
        const found = await slices.filter(page, ({ record }) => isTarget(record) === true);
        if (kept !== null) kept = kept.length + found.length > SENSORS_KEPT ? null : [...kept, ...found];
        yield found;
      }
      // Not reached if the caller stops early: then they are read again.
      this.#kept = kept;
    }
  }
}

/** Calls `found` for every delivery whose sensor matches task and target, and that `isWanted` accepts: by default, every one that is due.
 *  When `found` returns 'enough', it is not called for that task again. */
export async function eachMatch(
  tasks: readonly TaskDeliveries[],
  sensors: TargetSensors,
  found: (task: TaskRecord, sensor: SeenSensor) => 'enough' | undefined,
  isWanted: (delivery: Delivery | undefined, task: TaskRecord) => boolean = isDue,
): Promise<void> {
  const wanted = new SelectorSet<TaskDeliveries>();
  const trees: SelectorAst[] = [];
  for (const entry of tasks) {
    const tree = treeOf(entry.task.command.selector);
    if (tree === null) continue;
    wanted.add(entry.task.taskId, tree, entry);
    trees.push(tree);
  }
  if (wanted.size === 0) return;
  const slices = newSlices();
  for await (const page of sensors.pages(trees)) {
    for (const sensor of page) {
      if (slices.isOver) await slices.pause();
      for (const { task, deliveries } of await wanted.matchInSlices(sensor.record, slices))
        if (isWanted(deliveries.get(sensor.sid), task) && found(task, sensor) === 'enough') wanted.delete(task.taskId);
    }
    if (wanted.size === 0) return;
  }
}

/** The tasks that at least one sensor of the target still has to run, in batches, with their deliveries. Deliveries are read only for
 *  tasks that one of these sensors matches. */
export async function* dueFor(
  context: Source,
  oid: string,
  tasks: readonly TaskRecord[],
  sensors: TargetSensors,
): AsyncGenerator<TaskDeliveries[]> {
  const without = tasks.map((task) => ({ task, deliveries: NO_DELIVERIES }));
  const matching = await among(without, sensors);
  const candidates = tasks.filter(({ taskId }) => matching.has(taskId));
  for await (const entries of deliveriesOf(context, oid, candidates)) {
    const due = await among(entries, sensors);
    yield entries.filter(({ task }) => due.has(task.taskId));
  }
}

const NO_DELIVERIES: ReadonlyMap<string, Delivery> = new Map();

async function among(entries: readonly TaskDeliveries[], sensors: TargetSensors): Promise<Set<string>> {
  const found = new Set<string>();
  await eachMatch(entries, sensors, ({ taskId }) => {
    found.add(taskId);
    return 'enough';
  });
  return found;
}
