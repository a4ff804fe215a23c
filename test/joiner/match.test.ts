/** Sensors meet costly tasks: what a batch may spend, and that all of it is sent in the end. */
import { expect, it } from 'vitest';
import type { Due } from '../../src/joiner/delivery/claim-batch.ts';
import { type ClaimBatch, dropUnfit } from '../../src/joiner/delivery/claim-batch.ts';
import { Matching } from '../../src/joiner/match.ts';
import type { Sensor } from '../../src/joiner/org-partition.ts';
import { newCheckBudget, OrgTasks } from '../../src/joiner/pending-tasks.ts';
import type { TaskRecord } from '../../src/model/task.ts';
import { SELECTOR_BOUNDS, work } from '../../src/selector/index.ts';
import { orgPartitionOf, sensorIn } from './world.ts';

const HOSTNAME = `${Array.from({ length: 1_000 }, (_, i) => ((i * i * 7 + (i >> 3)) % 5 < 2 ? 'x' : 'y')).join('')}z`;
const COSTLY_TASKS = 20;

const recordOf = (taskId: string, selector: string): TaskRecord =>
  ({ taskId, state: 'pending', expiresAtMs: 9e15, command: { selector, task: 'run', task_id: taskId } }) as TaskRecord;

/** Two orgs, of which one has costly tasks, that all its sensors match. */
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
  const matching = new Matching({
    clock: {
      delay: async () => {
        endBlock();
        await new Promise((resolve) => setImmediate(resolve));
      },
    },
    followers: {
      match: (sensor, due, limit) => {
        for (const task of orgOf(sensor.oid).match(sensor, limit)) due.push({ sensor, task });
      },
      matchInSlices: async (sensor, slices) =>
        (await orgOf(sensor.oid).matchInSlices(sensor, slices)).map((task) => ({ sensor, task })),
    },
    isSubscribed: () => true,
    send: async (due) => void sent.push(...due),
  });
  const ownership = { costly: orgPartitionOf('costly'), cheap: orgPartitionOf('cheap') };
  const sensorOf = (oid: 'costly' | 'cheap', sid: string): Sensor => {
    const sensor = sensorIn(ownership[oid], sid);
    sensor.record = { oid, sid, hostname: oid === 'costly' ? HOSTNAME : 'ab1' };
    return sensor;
  };
  return { matching, sensorOf, sent, blocks, endBlock, tasks };
}
const idsOf = (due: readonly Due[]) => due.map(({ sensor, task }) => `${sensor.sid} ${task.taskId}`).toSorted();

it('one org with costly tasks uses only its share of a batch, and everything is sent in the end', async () => {
  const { matching, sensorOf, sent, blocks, endBlock } = world();
  const costly = ['a', 'b', 'c'].map((sid) => sensorOf('costly', sid));
  const cheap = sensorOf('cheap', 'z');
  const before = work.spent;
  const due = matching.match([...costly, cheap]);
  expect(work.spent - before).toBeLessThan(500_000 + 2 * SELECTOR_BOUNDS.regexWork);
  expect(idsOf(due)).toContain('z m');
  endBlock();
  const all = costly.flatMap(({ sid }) => Array.from({ length: COSTLY_TASKS }, (_, i) => `${sid} c${i}`)).toSorted();
  await expect.poll(() => idsOf(sent), { timeout: 20_000 }).toEqual(all);
  expect(blocks.length).toBeGreaterThan(10);
  expect(Math.max(...blocks)).toBeLessThan(250_000 + 2 * SELECTOR_BOUNDS.regexWork);
  await matching.stop();
}, 30_000);

it('a sensor that goes offline before its turn gets nothing, and nothing is asked once it is stopped', async () => {
  const { matching, sensorOf, sent } = world();
  const [first, second, third] = ['a', 'b', 'c'].map((sid) => sensorOf('costly', sid)) as [Sensor, Sensor, Sensor];
  matching.match([first, second]);
  second.online = false;
  await expect.poll(() => sent.length, { timeout: 20_000 }).toBe(COSTLY_TASKS);
  await matching.stop();
  matching.match([third]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(new Set(sent.map(({ sensor }) => sensor))).toEqual(new Set([first]));
}, 30_000);

it('a match is not evaluated again before sending, unless the sensor has changed', async () => {
  const { matching, sensorOf } = world();
  const sensor = sensorOf('costly', 'a');
  const due = await matching.all([sensor]);
  expect(due).toHaveLength(COSTLY_TASKS);
  const claimBatch = (): ClaimBatch => ({
    ...{
      orgPartition: sensor.orgPartition,
      batch: 'b',
      epoch: 'e',
      fencingToken: '1',
      dropped: [],
      startedMono: 0,
      nowMs: 0,
    },
    deliveries: due.map((delivery) => ({
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
    return { spent: work.spent - before, kept: checked.deliveries.length, dropped: checked.dropped.length };
  };
  expect(check()).toEqual({ spent: 0, kept: COSTLY_TASKS, dropped: 0 });
  sensor.record = { ...sensor.record, hostname: `y${HOSTNAME}` };
  const { spent, kept, dropped } = check();
  expect(spent).toBeLessThan(1_000_000 + SELECTOR_BOUNDS.regexWork);
  expect([kept > 0, dropped > 0, kept + dropped]).toEqual([true, true, COSTLY_TASKS]);
}, 30_000);
