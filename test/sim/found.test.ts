/** Bugs that seeds have found, repeated step by step: a seed gives another run as soon as the simulation changes. */
import { describe, expect, it } from 'vitest';
import type { Bug } from './bugs.ts';
import { ORGS } from './fleet.ts';
import { World } from './world.ts';

/** Runs a world whose ports the test changes. */
async function play(spoil: NonNullable<Bug['ports']>, acts: (world: World) => Promise<void>): Promise<World> {
  const world = new World(1, { invariant: 'I1', what: 'spoilt', ports: spoil }, undefined);
  const crashed = new Promise<never>((_, reject) => {
    world.onCrash = reject;
  });
  const live = async () => {
    world.begin();
    await world.pass(2_000);
    await acts(world);
    await world.comeToRest();
  };
  try {
    await Promise.race([live(), crashed]);
    return world;
  } finally {
    world.end();
  }
}

describe('found by the simulation', () => {
  it('sends the deliveries of a claim without an answer after its org partition is taken over again', async () => {
    let spoilt = 0;
    const world = await play(
      (ports, kind) => {
        if (kind !== 'joiner') return ports;
        const { projection } = ports;
        const claim: typeof projection.claim = async (rows, requests) => {
          const answer = await projection.claim(rows, requests);
          if (spoilt > 0 || requests.length === 0) return answer;
          spoilt += 1;
          return { rows: answer.rows, claims: answer.claims.map(() => ({ ok: false, why: 'away' })) };
        };
        return { ...ports, projection: { ...projection, claim } };
      },
      async (world) => {
        const { fleet, cluster } = world;
        for (const joiner of cluster.of('joiner')) joiner.kill();
        for (let i = 0; i < 8; i += 1) fleet.connect();
        fleet.produce({ ...fleet.task(), selector: null, ttl: 3_600 });
        await world.pass(1_000);
        // They take over their org partitions, and match tasks and sensors at once.
        for (const joiner of cluster.of('joiner')) joiner.start();
        await world.pass(15_000);
      },
    );
    expect(spoilt).toBe(1);
    expect(world.stats().dispatches).toBeGreaterThan(2);
  });

  it('refuses a command again in a replay if it was refused while a projector read the dead letters', async () => {
    const world = await play(
      (ports, kind) => {
        if (kind !== 'projector') return ports;
        const { inbox, clock } = ports;
        const readAll: typeof inbox.readAll = async (topic, onRecords) => {
          await inbox.readAll(topic, onRecords);
          await clock.delay(3_000);
        };
        return { ...ports, inbox: { ...inbox, readAll } };
      },
      async (world) => {
        const { fleet } = world;
        const oid = fleet.addOrg();
        await world.pass(1_500); // the projectors know the org and read the dead letters
        fleet.produce({ ...fleet.task(), oid, ttl: -1 });
        await world.pass(10_000);
      },
    );
    expect(world.stats().deadLetters).toBe(1);
  });

  it('stores no offset past rows that Redis did not take, so that the next owner has all sensors', async () => {
    let isSpoilt = false;
    const world = await play(
      (ports, kind) => {
        if (kind !== 'joiner') return ports;
        const { projection } = ports;
        const claim: typeof projection.claim = async (rows, requests) => {
          if (!isSpoilt || rows.length === 0) return projection.claim(rows, requests);
          await ports.clock.delay(4_900); // just below the time limit of a Redis command
          const away = () => ({ ok: false, why: 'away' }) as const;
          return { rows: rows.map(away), claims: requests.map(away) };
        };
        return { ...ports, projection: { ...projection, claim } };
      },
      async (world) => {
        const { fleet, cluster } = world;
        fleet.produce({ ...fleet.task(), selector: null, ttl: 3_600 });
        await world.pass(2_000);
        isSpoilt = true;
        for (let i = 0; i < 8; i += 1) fleet.connect();
        await world.pass(15_000); // the offsets of idle org partitions are written meanwhile
        for (const joiner of cluster.of('joiner')) joiner.kill();
        isSpoilt = false;
        for (const joiner of cluster.of('joiner')) joiner.start();
        for (const oid of ORGS.slice(0, 2))
          fleet.produce({ ...fleet.task(), oid, task_id: 'after', selector: null, ttl: 3_600 });
        await world.pass(15_000);
      },
    );
    expect(world.stats().dispatches).toBeGreaterThan(2);
  });

  it('answers an untask of one sensor only when TASK_REMOVED is on the log, so that a loss of Redis restores nothing', async () => {
    const applied: [string, number][] = [];
    const removed: string[] = [];
    await play(
      (ports, kind) => {
        if (kind !== 'projector') return ports;
        const { outbox, projection } = ports;
        const taskEvents: typeof outbox.taskEvents = async (events) => {
          await outbox.taskEvents(events);
          for (const { event } of events) if (event.type === 'TASK_REMOVED') removed.push(event.task_id);
        };
        const advance: typeof projection.advance = async (requests) => {
          for (const { kind, nextOffset } of requests) if (kind === 'c') applied.push([removed.join(), nextOffset]);
          return projection.advance(requests);
        };
        return { ...ports, outbox: { ...outbox, taskEvents }, projection: { ...projection, advance } };
      },
      async (world) => {
        const { fleet } = world;
        for (let i = 0; i < 30; i += 1) fleet.connect();
        const task = {
          ...fleet.task(),
          task: 'os_version',
          oid: ORGS[0] as string,
          task_id: 'T',
          selector: null,
          ttl: 3_600,
        };
        await world.pass(5_000); // all sensors are known by then
        fleet.produce(task);
        fleet.produce({ ...task, action: 'UNTASK', task: null, untask_selector: 'hostname != "none"' });
        await world.pass(1_000);
      },
    );
    expect(removed).not.toEqual([]);
    expect(applied.some(([before]) => before !== '')).toBe(true);
  });
});
