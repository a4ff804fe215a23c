/** An org partition that was fenced off: the group confirms the owner of its partition before it is taken over again. */
import { describe, expect, it } from 'vitest';
import { Ownership } from '../../src/joiner/ownership.ts';
import type { RolePorts } from '../../src/ports.ts';
import { orgPartitionOf, Time } from './world.ts';

async function world() {
  const time = new Time();
  const log: string[] = [];
  let confirm = async (): Promise<void> => undefined;
  const nothing = () => undefined;
  const committed = new Map<number, number>();
  /** The offsets that were committed to confirm the ownership. */
  const confirmed: number[] = [];
  const ownership = new Ownership({
    ports: {
      clock: { random: () => 0.5, delay: (ms: number) => time.delay(ms) },
      log: { warn: nothing, info: nothing },
      inbox: { committed: async () => committed, ends: async () => new Map() },
      projection: {
        takeover: async () => {
          log.push('taken');
          return { ok: false, why: 'away' };
        },
      },
    } as unknown as RolePorts,
    groupId: 'g',
    usable: async () => new Map(),
    seek: nothing,
    confirmOwnership: (_, offset) => {
      confirmed.push(offset);
      log.push('asked');
      return confirm();
    },
    onLive: nothing,
    onGone: nothing,
  });
  const orgPartition = orgPartitionOf('o');
  ownership.assign([3]);
  await time.run(ownership.prepared(3));
  ownership.in(3).set('o', orgPartition);
  return {
    committed,
    log,
    orgPartition,
    ownership,
    time,
    confirmed,
    onConfirm: (answer: () => Promise<void>) => (confirm = answer),
  };
}
const away = () => Promise.reject(new Error('Kafka is away'));

it('asks Kafka once for the end of presence for all org partitions that are taken over together, after their last token', async () => {
  const asked: string[] = [];
  const nothing = () => undefined;
  const answer = { ok: true, fencingToken: '1', nextOffset: 0, nowMs: 0, inFlight: [] };
  const ownership = new Ownership({
    ports: {
      clock: { monoMs: () => 0, nowMs: () => 0 },
      log: { warn: nothing, info: nothing },
      inbox: {
        committed: async () => new Map(),
        ends: async () => {
          asked.push('ends');
          return new Map([[3, { low: 0, high: 9 }]]);
        },
      },
      projection: {
        takeover: async () => {
          asked.push('token');
          return answer;
        },
        scanSensors: async () => ({ sensors: [], next: null }),
        writeSensors: async (requests: unknown[]) => requests.map(() => ({ ok: true })),
      },
    } as unknown as RolePorts,
    groupId: 'g',
    usable: async () => new Map(Array.from({ length: 50 }, (_, i) => [`o${i}`, 'e'])),
    seek: nothing,
    confirmOwnership: async () => undefined,
    onLive: nothing,
    onGone: nothing,
  });
  ownership.assign([3]);
  await ownership.prepared(3);
  expect([...ownership.all()].every(({ fencingToken, liveAt }) => fencingToken === '1' && liveAt === 9)).toBe(true);
  expect(asked.filter((what) => what === 'token')).toHaveLength(50);
  expect(asked.filter((what) => what === 'ends').length).toBeLessThanOrEqual(3); // one is for the partition
  expect(asked.at(-1)).toBe('ends');
});

describe('an org partition that was fenced off', () => {
  it('is taken over again when the group has confirmed the partition, however long that takes', async () => {
    const { log, orgPartition, ownership, time, onConfirm } = await world();
    let tries = 0;
    onConfirm(() => (++tries < 3 ? away() : Promise.resolve()));
    const refused = ownership.refused(orgPartition, 'fenced');
    await ownership.takeMissing(new Map([['o', 'e']]));
    expect(log).toEqual(['asked']);
    await time.run(refused);
    expect(ownership.partitions).toEqual([3]);
    await ownership.takeMissing(new Map([['o', 'e']]));
    expect(log).toEqual(['asked', 'asked', 'asked', 'taken']);
  });

  it('does not move back the offset that another process committed while this one was suspended', async () => {
    const { committed, orgPartition, ownership, confirmed } = await world();
    ownership.committed(3, 5);
    committed.set(3, 9);
    await ownership.refused(orgPartition, 'fenced');
    committed.set(3, 4);
    await ownership.refused(orgPartition, 'fenced');
    expect(confirmed).toEqual([9, 9]);
    expect(ownership.effectsFrom(3)).toBe(9);
  });

  it('asks the group once for all orgs of the partition', async () => {
    const { log, orgPartition, ownership } = await world();
    const other = orgPartitionOf('other');
    ownership.in(3).set('other', other);
    await Promise.all([ownership.refused(orgPartition, 'fenced'), ownership.refused(other, 'fenced')]);
    expect(log).toEqual(['asked']);
  });

  it('is dropped when the group assigns the partition to another process', async () => {
    const { orgPartition, ownership, time, onConfirm } = await world();
    onConfirm(away);
    const refused = ownership.refused(orgPartition, 'fenced');
    ownership.assign([]);
    await time.run(refused);
    expect(ownership.partitions).toEqual([]);
  });
});
