/**
 * New tasks meet the sensors of the live seats. Many tasks and many sensors are millions of questions, so they are asked in
 * slices, between which everything else of the process has its turn. The tasks are in memory before: a sensor that connects
 * or changes meanwhile finds them by itself, so whatever comes in between, none is missed.
 */
import type { Clock } from '../async/clock.ts';
import { Slices } from '../selector/index.ts';
import type { Due } from './delivery/claim-batch.ts';
import type { OrgPartition, Sensor } from './org-partition.ts';
import { selects, type Task } from './pending-tasks.ts';

/** Some milliseconds of work. */
export const ASKED_PER_SLICE = 20_000;

/** The same of sensors, each of which is asked of the index of its org's tasks. */
export const SENSORS_PER_SLICE = 1_000;

export type Met = { oid: string; taskId: string; partition: number; matched: number; online: number };

/** `due`: pairs whose sensor is online. `counts`: of every task in every seat that was live from beginning to end. */
export async function matchNewTask(
  clock: Pick<Clock, 'delay'>,
  orgPartitions: Iterable<OrgPartition>,
  tasks: readonly Task[],
): Promise<{ due: Due[]; counts: Met[] }> {
  const due: Due[] = [];
  const counts: Met[] = [];
  let asked = 0;
  const slices = new Slices(() => clock.delay(0));
  for (const orgPartition of orgPartitions) {
    if (!orgPartition.live) continue; // it meets all tasks when it is
    const { oid, partition, fencingToken } = orgPartition;
    for (const task of tasks) {
      let [matched, online] = [0, 0];
      for (const sensor of candidates(orgPartition, task)) {
        if (++asked % ASKED_PER_SLICE === 0 || slices.isOver) await slices.pause();
        if (!selects(task, sensor)) continue;
        matched += 1;
        if (!sensor.online) continue;
        online += 1;
        due.push({ sensor, task });
      }
      if (orgPartition.live && orgPartition.fencingToken === fencingToken)
        counts.push({ oid, taskId: task.taskId, partition, matched, online });
    }
  }
  return { due, counts };
}

const candidates = (orgPartition: OrgPartition, task: Task): Iterable<Sensor> => {
  if (task.sid === undefined) return orgPartition.sensors.values();
  const sensor = orgPartition.sensors.get(task.sid);
  return sensor ? [sensor] : [];
};

/** The other way round: many sensors meet the tasks that there are, `match` some of them at a time. */
export async function matchNewTasks(
  clock: Pick<Clock, 'delay'>,
  sensors: Iterable<Sensor>,
  match: (slice: Sensor[]) => Due[] | Promise<Due[]>,
): Promise<Due[]> {
  const due: Due[] = [];
  const all = [...sensors]; // a seat may change between two slices
  for (let at = 0; at < all.length; at += SENSORS_PER_SLICE) {
    if (at > 0) await clock.delay(0);
    for (const delivery of await match(all.slice(at, at + SENSORS_PER_SLICE))) due.push(delivery);
  }
  return due;
}
