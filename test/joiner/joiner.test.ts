/** The joiner around its parts: org partitions that are refused or taken over again, and assignments during other work. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { clockOf } from '../../src/async/clock.ts';
import { readConfig } from '../../src/config.ts';
import { Joiner } from '../../src/joiner/joiner.ts';
import type { OrgPartition, Sensor } from '../../src/joiner/org-partition.ts';
import { bootstrapSettings } from '../../src/orgs/bootstrap.ts';
import { OrgTable } from '../../src/orgs/table.ts';
import type { GroupOptions, RolePorts } from '../../src/ports.ts';
import type { TopicKey } from '../../src/topics.ts';
import { orgPartitionOf } from './world.ts';

const OID = '11111111-2222-4333-8444-555555555555';
/** More than a function call accepts as arguments. */
const MANY = 150_000;

const settled = async (): Promise<void> => {
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** Other work runs, and no time passes. */
const runSoon = (ms: number, work: () => void) => {
  if (ms === 0) setImmediate(work);
  return () => undefined;
};

/** A started joiner. No time passes. */
async function world() {
  const table = new OrgTable();
  for (const setting of bootstrapSettings(table, OID, randomUUID(), 1))
    table.apply(`${OID}/${setting.kind}/${setting.name}`, setting);
  const warnings: string[] = [];
  const asked = { status: 0, confirms: 0, refreshes: 0 };
  const hooks = {
    ends: async () => new Map([[0, { low: 0, high: 9 }]]),
    changes: async () => ({ ok: false }) as object,
  };
  let group: GroupOptions<TopicKey> | undefined;
  const nothing = () => undefined;
  const ports = {
    config: readConfig({ KAFKA_BROKERS: 'k:1', REDIS_URL: 'redis://r' }),
    clock: clockOf({ nowMs: () => 1_000, monoMs: () => 1_000, after: runSoon, random: () => 0.5 }),
    log: { warn: (_: object, text: string) => warnings.push(text), info: nothing, debug: nothing },
    orgs: { table },
    inbox: {
      join: async (options: GroupOptions<TopicKey>) => {
        group = options;
        return { commit: async () => undefined, stop: async () => undefined, fault: () => null, joined: () => true };
      },
      committed: async () => new Map(),
      ends: () => hooks.ends(),
    },
    projection: {
      onHint: () => nothing,
      status: async (oids: string[]) => {
        asked.status += 1;
        return oids.map(() => null);
      },
      changes: () => hooks.changes(),
      pendingIds: async () => ({ ids: [], next: null }),
      confirm: async () => {
        asked.confirms += 1;
        return [{ ok: true }];
      },
    },
    stats: { writeOnline: async () => undefined },
    metrics: {
      pendingTasks: () => {
        asked.refreshes += 1;
      },
    },
  } as unknown as RolePorts;
  const joiner = new Joiner(ports);
  const start = async () => {
    await joiner.start();
    await settled();
    return group as GroupOptions<TopicKey>;
  };
  /** The org partition has read enough and goes live. */
  const goLive = async (orgPartition: OrgPartition) => {
    vi.spyOn(joiner.ownership, 'in').mockReturnValue(new Map([[orgPartition.oid, orgPartition]]));
    joiner.ownership.checkLive(orgPartition.partition);
    await settled();
  };
  return { asked, goLive, hooks, joiner, start, warnings };
}

describe('a joiner', () => {
  it('refreshes once when Redis refuses many org partitions at once', async () => {
    const { asked, joiner, start } = await world();
    await start();
    const before = asked.status;
    for (let i = 0; i < 100; i += 1) joiner.refused(orgPartitionOf(OID), 'lost');
    await settled();
    expect(asked.status - before).toBeGreaterThan(0);
    expect(asked.status - before).toBeLessThan(4);
  });

  it('writes the events of repeats up to the end of the log, also if a batch fails before the end is read', async () => {
    const { hooks, joiner, start } = await world();
    const group = await start();
    const { promise, resolve } = Promise.withResolvers<Map<number, { low: number; high: number }>>();
    group.onAssigned([0]);
    await settled();
    hooks.ends = () => promise;
    joiner.acknowledge.repeats.raise(0, 5);
    const wanted = group.wanted('sensorEvents', 0);
    resolve(new Map([[0, { low: 0, high: 9 }]]));
    expect(await wanted).toBe(null);
    expect(joiner.acknowledge.repeats.below(0)).toBe(9);
  });

  it('asks for the end of the log again if it could not be read', async () => {
    const { hooks, joiner, start } = await world();
    const group = await start();
    group.onAssigned([0]);
    await settled();
    const { ends } = hooks;
    hooks.ends = () => Promise.reject(new Error('the broker is away'));
    await expect(group.wanted('sensorEvents', 0)).rejects.toThrow('away');
    hooks.ends = ends;
    await group.wanted('sensorEvents', 0);
    expect(joiner.acknowledge.repeats.below(0)).toBe(9);
  });

  it('matches any number of sensors when an org subscribes', async () => {
    const { asked, joiner, start, warnings } = await world();
    const orgPartition = orgPartitionOf(OID);
    const sensor = { oid: OID, orgPartition, online: false } as Sensor;
    const sensors = new Map(Array.from({ length: MANY }, (_, i) => [String(i), sensor]));
    vi.spyOn(joiner.ownership, 'ofOrg').mockImplementation(function* () {
      yield { ...orgPartition, sensors };
    });
    await start();
    await vi.waitFor(() => expect(asked.refreshes).toBe(1), { timeout: 20_000 });
    expect(warnings).toEqual([]);
  });

  it('does not release an org partition that was taken over again while it went live with the earlier token', async () => {
    const { goLive, hooks, start } = await world();
    await start();
    const orgPartition = orgPartitionOf(OID, { live: false });
    hooks.changes = async () => {
      orgPartition.fencingToken = '2';
      throw new Error('Redis is away');
    };
    await goLive(orgPartition);
    expect(orgPartition).toMatchObject({ fencingToken: '2', live: true });
  });

  it('leaves the dead claim batches to the next owner when it stops', async () => {
    const { asked, goLive, hooks, joiner, start } = await world();
    await start();
    hooks.changes = async () => ({ ok: true, version: 0, changes: [] });
    await goLive(orgPartitionOf(OID, { live: false, deadBatches: ['a'] }));
    expect(asked.confirms).toBe(1);
    const orgPartition = orgPartitionOf(OID, { live: false, deadBatches: ['b'] });
    await joiner.stop();
    await goLive(orgPartition);
    expect(asked.confirms).toBe(1);
    expect(orgPartition.deadBatches).toEqual(['b']);
  });
});
