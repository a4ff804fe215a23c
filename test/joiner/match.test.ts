/** Matching in slices, and costly tasks: the work budget of a batch, and that everything is sent in the end. */
import { expect, it } from 'vitest';
import { type ClaimBatch, dropUnfit } from '../../src/joiner/delivery/claim-batch.ts';
import { EVALUATIONS_PER_SLICE, Matcher, matchNewTasks, SENSORS_PER_SLICE } from '../../src/joiner/match.ts';
import type { Sensor } from '../../src/joiner/org-partition.ts';
import { type Due, newCheckBudget, OrgTasks } from '../../src/joiner/org-tasks.ts';
import type { TaskRecord } from '../../src/model/task.ts';
import { SELECTOR_BOUNDS } from '../../src/selector/bounds.ts';
import { work } from '../../src/selector/work-counter.ts';
import { orgPartitionOf, sensorIn, taskOf } from './world.ts';

const HOSTNAME = `${Array.from({ length: 1_000 }, (_, i) => ((i * i * 7 + (i >> 3)) % 5 < 2 ? 'x' : 'y')).join('')}z`;
const COSTLY_TASKS = 20;

const recordOf = (taskId: string, selector: string): TaskRecord =>
  ({ taskId, state: 'pending', expiresAtMs: 9e15, command: { selector, task: 'run', task_id: taskId } }) as TaskRecord;

/** Two orgs. One has costly tasks that match all its sensors. */
function world() {
  const tasks = { costly: new OrgTasks(), cheap: new OrgTasks() };
  for (let i = 0; i < COSTLY_TASKS; i += 1)
    tasks.costly.add(recordOf(`c${i}`, `hostname matches "[xy]*x?[xy]{${500 + i}}z"`), 0);
  tasks.cheap.add(recordOf('m', 'hostname matches "^(a|b)+[0-9]*$"'), 0);
  const orgOf = (oid: string) => (oid === 'costly' ? tasks.costly : tasks.cheap);
  const sent: Due[] = [];
  const blocks: number[] = [];
  let since = work.spent;
  const endBlock = () => {
    blocks.push(work.spent - since);
    since = work.spent;
  };
  const matcher = new Matcher({
    clock: {
      delay: async () => {
        endBlock();
        await new Promise((resolve) => setImmediate(resolve));
      },
    },
    pendingTasks: {
      match: (sensor, due, limit) => {
        for (const task of orgOf(sensor.oid).match(sensor, limit)) due.push({ sensor, task });
      },
      matchInSlices: async (sensor, slices) =>
        (await orgOf(sensor.oid).matchInSlices(sensor, slices)).map((task) => ({ sensor, task })),
    },
    isSubscribed: () => true,
    send: async (due) => void sent.push(...due),
  });
  const orgPartitions = { costly: orgPartitionOf('costly'), cheap: orgPartitionOf('cheap') };
  const sensorOf = (oid: 'costly' | 'cheap', sid: string): Sensor => {
    const sensor = sensorIn(orgPartitions[oid], sid);
    sensor.record = { oid, sid, hostname: oid === 'costly' ? HOSTNAME : 'ab1' };
    return sensor;
  };
  return { matcher, sensorOf, sent, blocks, endBlock, tasks };
}
const idsOf = (due: readonly Due[]) => due.map(({ sensor, task }) => `${sensor.sid} ${task.taskId}`).toSorted();

it('an org with costly tasks uses only its share of a batch, and everything is sent in the end', async () => {
  const { matcher, sensorOf, sent, blocks, endBlock } = world();
  const costly = ['a', 'b', 'c'].map((sid) => sensorOf('costly', sid));
  const cheap = sensorOf('cheap', 'z');
  const before = work.spent;
  const due = matcher.withinBudget([...costly, cheap]);
  expect(work.spent - before).toBeLessThan(500_000 + 2 * SELECTOR_BOUNDS.regexWork);
  expect(idsOf(due)).toContain('z m');
  endBlock();
  const all = costly.flatMap(({ sid }) => Array.from({ length: COSTLY_TASKS }, (_, i) => `${sid} c${i}`)).toSorted();
  await expect.poll(() => idsOf(sent), { timeout: 20_000 }).toEqual(all);
  expect(blocks.length).toBeGreaterThan(10);
  expect(Math.max(...blocks)).toBeLessThan(250_000 + 2 * SELECTOR_BOUNDS.regexWork);
  await matcher.stop();
}, 30_000);

it('a sensor that goes offline in the queue gets nothing, and nothing is matched after the stop', async () => {
  const { matcher, sensorOf, sent } = world();
  const [first, second, third] = ['a', 'b', 'c'].map((sid) => sensorOf('costly', sid)) as [Sensor, Sensor, Sensor];
  matcher.withinBudget([first, second]);
  second.online = false;
  await expect.poll(() => sent.length, { timeout: 20_000 }).toBe(COSTLY_TASKS);
  await matcher.stop();
  matcher.withinBudget([third]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(new Set(sent.map(({ sensor }) => sensor))).toEqual(new Set([first]));
}, 30_000);

it('a costly match is evaluated again before sending only if the sensor has changed', async () => {
  const { matcher, sensorOf } = world();
  const sensor = sensorOf('costly', 'a');
  const due = await matcher.all([sensor]);
  expect(due).toHaveLength(COSTLY_TASKS);
  const claimBatch = (): ClaimBatch => ({
    orgPartition: sensor.orgPartition,
    batch: 'b',
    epoch: 'e',
    fencingToken: '1',
    dropped: [],
    startedMono: 0,
    nowMs: 0,
    claims: due.map((delivery) => ({
      ...delivery,
      connectionHash: sensor.connectionHash,
      attempt: 1,
      connectionId: '',
      maybeSent: false,
    })),
  });
  const check = () => {
    const [before, checked] = [work.spent, claimBatch()];
    dropUnfit(checked, 0, 50, newCheckBudget());
    return { spent: work.spent - before, kept: checked.claims.length, dropped: checked.dropped.length };
  };
  expect(check()).toEqual({ spent: 0, kept: COSTLY_TASKS, dropped: 0 });
  sensor.record = { ...sensor.record, hostname: `y${HOSTNAME}` };
  const { spent, kept, dropped } = check();
  expect(spent).toBeLessThan(1_000_000 + SELECTOR_BOUNDS.regexWork);
  expect([kept > 0, dropped > 0, kept + dropped]).toEqual([true, true, COSTLY_TASKS]);
}, 30_000);

/** A clock that counts the pauses, and runs something in each. */
const pausing = (inPause: () => void = () => undefined) => {
  const clock = {
    count: 0,
    delay: async () => {
      inPause();
      clock.count += 1;
    },
  };
  return clock;
};
/** Many sensors for little memory: one sensor under many sids. */
const crowd = (orgPartition = orgPartitionOf()): [ReturnType<typeof orgPartitionOf>, Sensor] => {
  const sensor = sensorIn(orgPartition, 's');
  for (let i = 1; i < EVALUATIONS_PER_SLICE; i += 1) orgPartition.sensors.set(String(i), sensor);
  return [orgPartition, sensor];
};

it('new tasks pause after each slice, and each delivery is counted once', async () => {
  const [orgPartition] = crowd();
  let since = 0;
  const longest: number[] = [];
  const clock = pausing(() => {
    longest.push(since);
    since = 0;
  });
  const predicate = () => {
    since += 1;
    return true;
  };
  const { due, counts } = await matchNewTasks(
    clock,
    [orgPartition],
    [taskOf('a', { predicate }), taskOf('b', { predicate })],
  );
  expect(clock.count).toBe(2);
  expect(Math.max(...longest)).toBeLessThanOrEqual(EVALUATIONS_PER_SLICE);
  expect(due).toHaveLength(2 * EVALUATIONS_PER_SLICE);
  expect(counts).toEqual(
    ['a', 'b'].map((taskId) => ({
      oid: 'o',
      partition: 3,
      taskId,
      matched: EVALUATIONS_PER_SLICE,
      online: EVALUATIONS_PER_SLICE,
    })),
  );
});

it('new tasks skip org partitions that are not live, and a task for one sid evaluates one sensor', async () => {
  const orgPartition = orgPartitionOf();
  const sensors = ['s', 't', 'u'].map((sid) => sensorIn(orgPartition, sid));
  sensors[2]!.online = false;
  const named = await matchNewTasks(
    pausing(),
    [orgPartitionOf('o', { live: false }), orgPartition],
    [taskOf('a', { sid: 't' })],
  );
  expect(named.due.map(({ sensor }) => sensor)).toEqual([sensors[1]]);
  expect(named.counts).toMatchObject([{ matched: 1, online: 1 }]);
  const all = await matchNewTasks(pausing(), [orgPartition], [taskOf('a')]);
  expect(all.counts).toMatchObject([{ matched: 3, online: 2 }]);
});

it('new tasks have no count for an org partition that was lost meanwhile', async () => {
  const [orgPartition] = crowd();
  const clock = pausing(() => {
    orgPartition.fencingToken = '2';
  });
  const { counts } = await matchNewTasks(clock, [orgPartition], [taskOf('a')]);
  expect(counts).toEqual([]);
});

it('many sensors pause after each slice, and each is matched once, whichever leaves meanwhile', async () => {
  const [orgPartition] = crowd();
  const pauses: number[] = [];
  let matched = 0;
  const clock = pausing(() => {
    orgPartition.sensors.clear();
    pauses.push(matched);
    matched = 0;
  });
  const task = taskOf('a');
  const matcher = new Matcher({
    clock,
    pendingTasks: {
      match: () => undefined,
      matchInSlices: async (sensor) => {
        matched += 1;
        return [{ sensor, task }];
      },
    },
    isSubscribed: () => true,
    send: async () => undefined,
  });
  const due = await matcher.all(orgPartition.sensors.values());
  expect(Math.max(...pauses, matched)).toBeLessThanOrEqual(SENSORS_PER_SLICE);
  expect(clock.count).toBe(EVALUATIONS_PER_SLICE / SENSORS_PER_SLICE - 1);
  expect(due).toHaveLength(EVALUATIONS_PER_SLICE);
});
