/** Many new tasks and many sensors, met in slices. */
import { expect, it } from 'vitest';
import { ASKED_PER_SLICE, matchNewTask, matchNewTasks, SENSORS_PER_SLICE } from '../../src/joiner/match-new-tasks.ts';
import type { Sensor } from '../../src/joiner/org-partition.ts';
import { orgPartitionOf, sensorIn, taskOf } from './world.ts';

/** A clock that counts the turns which others had, and lets something happen in each. */
const turns = (inTurn: () => void = () => undefined) => {
  const clock = {
    count: 0,
    delay: async () => {
      inTurn();
      clock.count += 1;
    },
  };
  return clock;
};
/** As many as a test can pay for: one sensor under many names. */
const crowd = (orgPartition = orgPartitionOf()): [ReturnType<typeof orgPartitionOf>, Sensor] => {
  const sensor = sensorIn(orgPartition, 's');
  for (let i = 1; i < ASKED_PER_SLICE; i += 1) orgPartition.sensors.set(String(i), sensor);
  return [orgPartition, sensor];
};

it('asks no more than a slice before others have their turn, and counts each pair once', async () => {
  const [orgPartition] = crowd();
  let since = 0;
  const longest: number[] = [];
  const clock = turns(() => {
    longest.push(since);
    since = 0;
  });
  const predicate = () => {
    since += 1;
    return true;
  };
  const { due, counts } = await matchNewTask(
    clock,
    [orgPartition],
    [taskOf('a', { predicate }), taskOf('b', { predicate })],
  );
  expect(clock.count).toBe(2);
  expect(Math.max(...longest)).toBeLessThanOrEqual(ASKED_PER_SLICE);
  expect(due).toHaveLength(2 * ASKED_PER_SLICE);
  expect(counts).toEqual(
    ['a', 'b'].map((taskId) => ({
      ...{ oid: 'o', partition: 3, taskId },
      ...{ matched: ASKED_PER_SLICE, online: ASKED_PER_SLICE },
    })),
  );
});

it('asks a seat that is not live nothing, and one sensor where the task names it', async () => {
  const orgPartition = orgPartitionOf();
  const sensors = ['s', 't', 'u'].map((sid) => sensorIn(orgPartition, sid));
  sensors[2]!.online = false;
  const named = await matchNewTask(
    turns(),
    [orgPartitionOf('o', { live: false }), orgPartition],
    [taskOf('a', { sid: 't' })],
  );
  expect(named.due.map(({ sensor }) => sensor)).toEqual([sensors[1]]);
  expect(named.counts).toMatchObject([{ matched: 1, online: 1 }]);
  const all = await matchNewTask(turns(), [orgPartition], [taskOf('a')]);
  expect(all.counts).toMatchObject([{ matched: 3, online: 2 }]);
});

it('tells no count of a seat that was lost meanwhile', async () => {
  const [orgPartition] = crowd();
  const clock = turns(() => {
    orgPartition.fencingToken = '2';
  });
  const { counts } = await matchNewTask(clock, [orgPartition], [taskOf('a')]);
  expect(counts).toEqual([]);
});

it('lets others have their turn while many sensors meet the tasks, and asks each sensor once, whoever leaves meanwhile', async () => {
  const [orgPartition] = crowd();
  const clock = turns(() => orgPartition.sensors.clear());
  const slices: number[] = [];
  const task = taskOf('a');
  const due = await matchNewTasks(clock, orgPartition.sensors.values(), (slice) => {
    slices.push(slice.length);
    return slice.map((sensor) => ({ sensor, task }));
  });
  expect(Math.max(...slices)).toBeLessThanOrEqual(SENSORS_PER_SLICE);
  expect(clock.count).toBe(slices.length - 1);
  expect(due).toHaveLength(ASKED_PER_SLICE);
});
