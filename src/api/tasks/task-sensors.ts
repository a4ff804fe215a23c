/**
 * The sensors of one task, pending or ended, each once, in pages without an order. A sensor belongs to the task if it matches now,
 * has a stored delivery, or has responded. A sensor that enrolled after the end of the task does not match.
 */
import { ApiError } from '../../errors.ts';
import type { SensorView } from '../../model/sensor.ts';
import type { TaskState } from '../../model/states.ts';
import type { Delivery, TaskRecord } from '../../model/task.ts';
import type { Response } from '../../responder/responses/responses.ts';
import { compileSelector } from '../../selector/evaluate/compile.ts';
import type { ApiContext } from '../actions/action.ts';
import { usableStatus } from '../reads.ts';
import { findSensor, newSlices, type SeenSensor, sensorsFor, treeOf } from '../sensors/sensors.ts';
import { type DeliveryRow, shownDelivery, stateAt } from './task-view.ts';

/** A task and all that is stored of its sensors. */
export type TaskRead = {
  task: TaskRecord;
  state: TaskState;
  deliveries: ReadonlyMap<string, Delivery>;
  /** Of each sensor in order. */
  responses: ReadonlyMap<string, Response[]>;
  /** All responses are known. */
  complete: boolean;
  /** Of the projection that it was read from. */
  epoch: string;
};

export type TaskSensor = {
  row: DeliveryRow;
  delivery: Delivery | undefined;
  responses: readonly Response[];
  view: SensorView | null;
};

/** Throws `task_unknown`, or `unavailable`. */
export async function readTask(
  { reads, responses }: Pick<ApiContext, 'reads' | 'responses'>,
  oid: string,
  taskId: string,
): Promise<TaskRead> {
  const { epoch, nowMs } = await usableStatus(reads, oid);
  const [task] = await reads.readTasks(oid, [taskId]);
  if (!task) throw new ApiError('task_unknown', `The org has no task ${taskId}, or it ended long ago.`);
  const [deliveries, found] = await Promise.all([reads.readDeliveries(oid, taskId), responses.read(oid, taskId)]);
  const bySensor = Map.groupBy(found.responses, ({ sid }) => sid);
  return { task, state: stateAt(task, nowMs), deliveries, responses: bySensor, complete: found.complete, epoch };
}

/** All of them, or only the one with this sid. */
export async function* taskSensors(
  context: ApiContext,
  oid: string,
  { task, state, deliveries, responses }: TaskRead,
  sid?: string,
): AsyncGenerator<TaskSensor[]> {
  const unseen = storedSensors({ deliveries, responses }, sid);
  const tree = treeOf(task.command.selector);
  const matches = tree === null ? () => false : compileSelector(tree);
  const slices = newSlices();
  const endedAtMs = task.endedAtMs ?? Number.POSITIVE_INFINITY;
  const shown = (one: string, sensor: SeenSensor | null): TaskSensor => {
    const delivery = deliveries.get(one);
    const mine = responses.get(one) ?? [];
    const standing = shownDelivery(task, state, delivery, sensor?.online === true);
    const row = { sid: one, hostname: sensor?.hostname ?? '', ...standing, response_count: mine.length };
    return { row, delivery, responses: mine, view: sensor?.view ?? null };
  };
  const pages =
    sid === undefined ? sensorsFor(context, oid, tree === null ? [] : [tree]) : onePage(findSensor(context, oid, sid));
  for await (const page of pages) {
    const found: TaskSensor[] = [];
    for (const sensor of page) {
      if (slices.isOver) await slices.pause();
      const isStored = unseen.delete(sensor.sid);
      if (isStored || (matches(sensor.record) === true && (sensor.enrolledAtMs ?? 0) <= endedAtMs))
        found.push(shown(sensor.sid, sensor));
    }
    yield found;
  }
  yield [...unseen].map((one) => shown(one, null));
}

function storedSensors(
  { deliveries, responses }: Pick<TaskRead, 'deliveries' | 'responses'>,
  sid?: string,
): Set<string> {
  if (sid !== undefined) return new Set(deliveries.has(sid) || responses.has(sid) ? [sid] : []);
  const stored = new Set(deliveries.keys());
  for (const one of responses.keys()) stored.add(one);
  return stored;
}

async function* onePage(sensor: Promise<SeenSensor | null>): AsyncGenerator<SeenSensor[]> {
  const found = await sensor;
  if (found !== null) yield [found];
}
