import { describe, expect, it } from 'vitest';
import type { Sensor } from '../../../src/joiner/org-partition.ts';
import { takeRows } from '../../../src/joiner/rows.ts';
import { deliveriesOf, orgPartitionOf, sensorIn, taskOf, World } from '../world.ts';

const LEASE_MS = 1_000;
const ALL = () => true;
const sensorsOf = (orgPartition: ReturnType<typeof orgPartitionOf>, count: number) =>
  Array.from({ length: count }, (_, i) => sensorIn(orgPartition, `s${i}`));

describe('a delivery', () => {
  it('appends nothing later than one lease after the claim, however much is due and however slow the broker is', async () => {
    for (const bytesPerMs of [20_000, 1_000, 200]) {
      const world = new World();
      world.produceMs = (bytes) => 1 + bytes / bytesPerMs;
      const orgPartition = orgPartitionOf();
      const sensors = sensorsOf(orgPartition, 300);
      const large = taskOf('large', { commandLine: 'x'.repeat(20_000) });
      const small = Array.from({ length: 20 }, (_, i) => taskOf(`t${i}`));
      const both = [
        world.deliver.deliver(deliveriesOf(sensors, large)),
        world.deliver.deliver(deliveriesOf(sensors, ...small)),
        world.deliver.deliver(deliveriesOf(sensors.slice(0, 9), taskOf('other'))),
      ];
      await world.time.run(Promise.all(both));
      expect(world.produced.flatMap(({ dispatches }) => dispatches)).toHaveLength(300 + 6_000 + 9);
      const ages = world.produced.flatMap(({ appendedAt, dispatches }) =>
        dispatches.map(({ dispatched_at }) => appendedAt - dispatched_at),
      );
      expect(Math.max(...ages), `${bytesPerMs} bytes/ms`).toBeLessThanOrEqual(LEASE_MS);
    }
  });

  it('checks claims again that have waited for the broker', async () => {
    const world = new World();
    world.produceMs = () => 150;
    const orgPartition = orgPartitionOf();
    const sensor = sensorIn(orgPartition, 's');
    const many = Array.from({ length: 20 }, (_, i) => world.deliver.deliver(deliveriesOf([sensor], taskOf(`t${i}`))));
    await world.time.run(Promise.all(many));
    const ages = world.produced.map(({ appendedAt, dispatches }) => appendedAt - dispatches[0]!.dispatched_at);
    expect(ages).toHaveLength(20);
    expect(Math.max(...ages)).toBeLessThanOrEqual(LEASE_MS);
    expect(world.rechecks.length).toBeGreaterThan(10);
  });

  it('puts no more into one produce than fits one request to the broker', async () => {
    const world = new World();
    const sensors = sensorsOf(orgPartitionOf(), 60);
    const large = taskOf('large', { commandLine: 'x'.repeat(65_536) });
    await world.time.run(world.deliver.deliver(deliveriesOf(sensors, large)));
    for (const { dispatches } of world.produced) expect(dispatches.length * 65_736).toBeLessThan(900_000);
    expect(world.produced.flatMap(({ dispatches }) => dispatches)).toHaveLength(60);
  });

  it('continues for the other orgs if the shard of one is away, and resumes that one after the lease', async () => {
    const world = new World();
    const [mine, other] = [orgPartitionOf('mine'), orgPartitionOf('other')];
    world.away.add('mine');
    const task = taskOf('a');
    const deliveries = deliveriesOf([sensorIn(mine, 's1'), sensorIn(other, 's2')], task);
    mine.dirtyRows.add('s1');
    const rows = takeRows(mine, () => Buffer.alloc(0)).map((request) => ({ orgPartition: mine, request }));
    const undone = await world.time.run(world.deliver.deliver(deliveries, rows));
    expect(undone).toEqual({ deliveries: true, rows: new Set([mine]) });
    expect([...mine.dirtyRows]).toEqual(['s1']);
    expect(world.refused).toEqual([]);
    expect(world.produced.flatMap(({ dispatches }) => dispatches.map(({ oid }) => oid))).toEqual(['other']);
    world.away.clear();
    world.time.now += LEASE_MS + 51;
    await world.time.run(world.deliver.resume(ALL));
    expect(world.produced.flatMap(({ dispatches }) => dispatches.map(({ oid }) => oid))).toEqual(['other', 'mine']);
  });

  it('does not release an org partition that was taken over again when a claim of the earlier token is refused late', async () => {
    const world = new World();
    const orgPartition = orgPartitionOf();
    const sensor = sensorIn(orgPartition, 's');
    world.onClaim = () => {
      orgPartition.fencingToken = '2';
      return { ok: false, why: 'fenced' };
    };
    await world.time.run(world.deliver.deliver(deliveriesOf([sensor], taskOf('a'))));
    expect(world.refused).toEqual([]);
    world.onClaim = () => ({ ok: false, why: 'fenced' });
    await world.time.run(world.deliver.deliver(deliveriesOf([sensor], taskOf('b'))));
    expect(world.refused).toEqual([['o', 'fenced']]);
  });

  it('repeats a confirmation until Redis answers, and sends nothing again meanwhile', async () => {
    const world = new World();
    const sensor = sensorIn(orgPartitionOf(), 's');
    const [restart, run] = [taskOf('restart', { doneWhenSent: true }), taskOf('run')];
    world.confirmsFail = true;
    await world.time.run(world.deliver.deliver(deliveriesOf([sensor], restart, run)));
    expect(world.events.map(({ event }) => event.type)).toEqual(['TASK_SENT', 'TASK_DONE', 'TASK_SENT']);
    for (let i = 0; i < 3; i += 1) {
      world.time.now += LEASE_MS;
      await world.time.run(world.deliver.resume(ALL));
      expect(world.redelivery.due(world.time.now, 10)).toEqual([]);
    }
    world.confirmsFail = false;
    await world.time.run(world.deliver.resume(ALL));
    await world.time.run(world.deliver.deliver(deliveriesOf([sensor], restart, run)));
    expect(world.produced).toHaveLength(1);
    const { batch } = world.claims[0]!;
    expect(world.confirms).toMatchObject([{ batch, tasks: [{ taskId: 'restart', done: ['s'], dropped: [] }] }]);
    world.time.now += 30_000;
    expect(world.redelivery.due(world.time.now, 10).map(({ task }) => task.taskId)).toEqual(['run']);
  });

  it('resumes a claim batch with an unknown outcome after its lease, then confirms it', async () => {
    const world = new World();
    const orgPartition = orgPartitionOf();
    const task = taskOf('a');
    world.produceFails = true;
    await world.time.run(world.deliver.deliver(deliveriesOf([sensorIn(orgPartition, 's')], task)));
    expect(world.confirms).toEqual([]);
    world.produceFails = false;
    await world.time.run(world.deliver.resume(ALL));
    expect(world.claims).toHaveLength(1);
    world.time.now += LEASE_MS + 51;
    await world.time.run(world.deliver.resume(ALL));
    expect(world.claims).toHaveLength(2);
    const [first, second] = world.claims.map(({ batch }) => batch);
    expect(second).toBe(first);
    expect(world.produced).toHaveLength(1);
    expect(world.confirms.map(({ batch }) => batch)).toEqual([first]);
    world.time.now += LEASE_MS + 51;
    await world.time.run(world.deliver.resume(ALL));
    expect(world.claims).toHaveLength(2);
  });

  it('remembers the same number of claims however long Redis is away, then sends each delivery once', async () => {
    const world = new World();
    const deliveries = deliveriesOf(sensorsOf(orgPartitionOf(), 40), taskOf('a'), taskOf('b'));
    world.away.add('o');
    await world.time.run(world.deliver.deliver(deliveries));
    const asked = () =>
      world.claims.reduce((sum, { tasks }) => sum + tasks.flatMap((task) => task.deliveries).length, 0);
    for (let round = 2; round < 12; round += 1) {
      world.time.now += LEASE_MS + 51;
      await world.time.run(world.deliver.resume(ALL));
      expect(asked()).toBe(80 * round);
    }
    world.away.clear();
    world.time.now += LEASE_MS + 51;
    await world.time.run(world.deliver.resume(ALL));
    expect(world.produced.flatMap(({ dispatches }) => dispatches)).toHaveLength(80);
    expect(world.confirms).toHaveLength(1);
  });

  it('keeps a claim batch in flight while its org partition is not live: confirmed, its deliveries would wait as if sent', async () => {
    const world = new World();
    const orgPartition = orgPartitionOf();
    world.away.add('o');
    await world.time.run(world.deliver.deliver(deliveriesOf([sensorIn(orgPartition, 's')], taskOf('a'))));
    world.away.clear();
    orgPartition.live = false;
    world.time.now += LEASE_MS + 51;
    await world.time.run(world.deliver.resume(ALL));
    expect(world.confirms).toEqual([]);
    orgPartition.live = true;
    await world.time.run(world.deliver.resume(ALL));
    expect(world.produced).toHaveLength(1);
    expect(world.confirms).toHaveLength(1);
  });

  it('confirms the claims that must not be sent when it resumes, and those that were dropped before', async () => {
    const world = new World();
    const [stays, changes, goes] = sensorsOf(orgPartitionOf(), 3) as [Sensor, Sensor, Sensor];
    const task = taskOf('a', { predicate: ({ hostname }) => hostname !== 'other' });
    world.produceMs = () => {
      changes.record = { hostname: 'other' }; // after the first check, so that the second drops it
      return 1;
    };
    world.produceFails = true;
    await world.time.run(world.deliver.deliver(deliveriesOf([stays, changes, goes], task)));
    changes.record = {};
    world.produceFails = false;
    world.produceMs = () => 1;
    world.time.now += LEASE_MS + 51;
    await world.time.run(world.deliver.resume(({ sensor }) => sensor !== stays));
    expect(world.confirms.flatMap(({ tasks }) => tasks)).toMatchObject([{ kept: [changes.sid, stays.sid] }]);
    world.time.now += 500;
    expect(new Set(world.redelivery.due(world.time.now, 10).map(({ sensor }) => sensor))).toEqual(
      new Set([changes, stays]),
    );
  });

  it('writes TASK_SENT again until Kafka takes it, even if the sensor disconnects, and repeats no dispatch for it', async () => {
    const world = new World();
    const [here, away] = sensorsOf(orgPartitionOf(), 2) as [Sensor, Sensor];
    const [run, restart] = [taskOf('run'), taskOf('restart', { doneWhenSent: true })];
    world.eventsFail = true;
    await world.time.run(world.deliver.deliver(deliveriesOf([here, away], run, restart)));
    away.online = false;
    for (let i = 0; i < 3; i += 1) {
      world.time.now += LEASE_MS + 51;
      await world.time.run(world.deliver.resume(ALL));
      await world.time.run(world.deliver.deliver(deliveriesOf([here], run, restart)));
    }
    expect(world.claims).toHaveLength(1);
    expect(world.confirms).toEqual([]);
    world.eventsFail = false;
    await world.time.run(world.deliver.resume(ALL));
    const types = Map.groupBy(world.events, ({ event }) => event.type);
    expect([types.get('TASK_SENT')?.length, types.get('TASK_DONE')?.length]).toEqual([4, 2]);
    expect(world.produced).toHaveLength(1);
    expect(world.confirms.flatMap(({ tasks }) => tasks)).toEqual([
      { taskId: 'restart', dropped: [], kept: [], done: [here.sid, away.sid] },
    ]);
    world.time.now += 30_000;
    expect(world.redelivery.due(world.time.now, 10)).toMatchObject([{ task: run, sensor: here }]);
  });

  it('counts a claim as sent that is dropped after a failed produce, and changes nothing if it is done when sent', async () => {
    const world = new World();
    const sensor = sensorIn(orgPartitionOf(), 's');
    world.produceFails = true;
    world.produceMs = () => {
      sensor.record = { hostname: 'other' };
      return 1;
    };
    const predicate = ({ hostname }: Sensor['record']) => hostname !== 'other';
    const tasks = [taskOf('run', { predicate }), taskOf('restart', { predicate, doneWhenSent: true })];
    await world.time.run(world.deliver.deliver(deliveriesOf([sensor], ...tasks)));
    expect(world.confirms.flatMap(({ tasks }) => tasks)).toEqual([
      { taskId: 'run', dropped: [], kept: ['s'], done: [] },
    ]);
    expect(world.events.map(({ event }) => [event.type, event.task_id, event.attempt])).toEqual([
      ['TASK_SENT', 'run', 1],
    ]);
    world.time.now += 500;
    expect(world.redelivery.due(world.time.now, 10).map(({ task }) => task.taskId)).toEqual(['run', 'restart']);
  });

  it('counts an attempt as sent that an earlier claim may have sent, and takes back one that was certainly not sent', async () => {
    const world = new World();
    const [before, never] = sensorsOf(orgPartitionOf(), 2) as [Sensor, Sensor];
    world.onClaim = ({ tasks }) => {
      for (const sensor of [before, never]) sensor.record = { hostname: 'other' };
      const words = tasks.map(({ deliveries }) =>
        deliveries.map(({ sid }) => ({ word: 'claimed' as const, attempt: 2, again: sid === before.sid })),
      );
      return { ok: true, version: 0, nowMs: world.time.now, words };
    };
    const task = taskOf('a', { predicate: ({ hostname }) => hostname !== 'other' });
    await world.time.run(world.deliver.deliver(deliveriesOf([before, never], task)));
    expect(world.produced).toEqual([]);
    expect(world.confirms.flatMap(({ tasks }) => tasks)).toEqual([
      { taskId: 'a', dropped: [never.sid], kept: [before.sid], done: [] },
    ]);
    expect(world.events).toMatchObject([{ event: { type: 'TASK_SENT', sid: before.sid, attempt: 2 } }]);
  });

  it('takes back a claim that the check before the produce refused, and tries it again', async () => {
    const world = new World();
    world.produceMs = () => 700; // the second waits so long that it is checked again
    const sensor = sensorIn(orgPartitionOf(), 's');
    world.onRecheck = ({ tasks }) => tasks.map(({ sids }) => sids.map(() => false));
    const both = [taskOf('a'), taskOf('b')].map((task) => world.deliver.deliver(deliveriesOf([sensor], task)));
    await world.time.run(Promise.all(both));
    expect(world.confirms.flatMap(({ tasks }) => tasks)).toMatchObject([{ taskId: 'b', dropped: ['s'] }]);
    world.time.now += 500;
    expect(world.redelivery.due(world.time.now, 10).map(({ task }) => task.taskId)).toContain('b');
  });

  it('does not change next claims of an org partition that was taken over again while its claim batch was in flight', async () => {
    const world = new World();
    const orgPartition = orgPartitionOf();
    const [sensor, task] = [sensorIn(orgPartition, 's'), taskOf('a')];
    const nextClaim = { connectionHash: sensor.connectionHash, untilMono: 31_000 };
    world.onClaim = () => {
      orgPartition.fencingToken = '2';
      task.nextClaims.set(sensor, nextClaim);
      return { ok: false, why: 'away' };
    };
    await world.time.run(world.deliver.deliver(deliveriesOf([sensor], task)));
    expect(task.nextClaims.get(sensor)).toBe(nextClaim);
  });

  it('leaves the claim batch of a lost org partition to the next owner', async () => {
    const world = new World();
    const orgPartition = orgPartitionOf();
    world.produceFails = true;
    await world.time.run(world.deliver.deliver(deliveriesOf([sensorIn(orgPartition, 's')], taskOf('a'))));
    Object.assign(orgPartition, { fencingToken: '2' });
    world.time.now += LEASE_MS + 51;
    await world.time.run(world.deliver.resume(ALL));
    expect(world.claims).toHaveLength(1);
    expect(world.confirms).toEqual([]);
  });
});
