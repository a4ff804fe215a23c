/** A seat that was fenced: whose its partition is, the group says, and nobody takes it before. */
import { describe, expect, it } from 'vitest';
import { Seats } from '../../src/join/seats.ts';
import type { RolePorts } from '../../src/ports.ts';
import { seatOf, Time } from './world.ts';

async function world() {
  const time = new Time();
  const log: string[] = [];
  let confirm = async (): Promise<void> => undefined;
  const nothing = () => undefined;
  const seats = new Seats({
    ports: {
      clock: { random: () => 0.5, delay: (ms: number) => time.delay(ms) },
      log: { warn: nothing, info: nothing },
      inbox: { committed: async () => new Map(), ends: async () => new Map() },
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
    confirmOwnership: () => {
      log.push('asked');
      return confirm();
    },
    onLive: nothing,
    onGone: nothing,
  });
  const seat = seatOf('o');
  seats.assign([3]);
  await time.run(seats.prepared(3));
  seats.in(3).set('o', seat);
  return { log, seat, seats, time, onConfirm: (answer: () => Promise<void>) => (confirm = answer) };
}
const away = () => Promise.reject(new Error('Kafka is away'));

describe('a seat that was fenced', () => {
  it('is taken again when the group has confirmed the partition, however long that takes', async () => {
    const { log, seat, seats, time, onConfirm } = await world();
    let tries = 0;
    onConfirm(() => (++tries < 3 ? away() : Promise.resolve()));
    const refused = seats.refused(seat, 'fenced');
    await seats.takeMissing(new Map([['o', 'e']]));
    expect(log).toEqual(['asked']);
    await time.run(refused);
    expect(seats.partitions).toEqual([3]);
    await seats.takeMissing(new Map([['o', 'e']]));
    expect(log).toEqual(['asked', 'asked', 'asked', 'taken']);
  });

  it('asks once for all orgs of the partition', async () => {
    const { log, seat, seats } = await world();
    const other = seatOf('other');
    seats.in(3).set('other', other);
    await Promise.all([seats.refused(seat, 'fenced'), seats.refused(other, 'fenced')]);
    expect(log).toEqual(['asked']);
  });

  it('is let go when the group gives the partition to another', async () => {
    const { seat, seats, time, onConfirm } = await world();
    onConfirm(away);
    const refused = seats.refused(seat, 'fenced');
    seats.assign([]);
    await time.run(refused);
    expect(seats.partitions).toEqual([]);
  });
});
