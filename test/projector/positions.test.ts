import { describe, expect, it } from 'vitest';
import { Positions } from '../../src/projector/positions.ts';
import type { OrgStatus } from '../../src/projector/projection.ts';

const status = (change: Partial<OrgStatus> = {}): OrgStatus => ({
  epoch: 'e1',
  usable: false,
  version: 0,
  begunAtMs: 10_000,
  nowMs: 10_000,
  commandOffsets: new Map(),
  eventOffsets: new Map(),
  presenceOffsets: new Map(),
  livePartitions: new Set(),
  ...change,
});
const ends = (c: number, t: number) => ({ c: new Map([[0, c]]), t: new Map([[0, t]]) });

describe('the places of a projector', () => {
  it('move on with batches of their own turn, and with no other', () => {
    const positions = new Positions();
    positions.start('c', 0, 5);
    const generation = positions.position('c', 0)?.generation as number;
    expect(positions.advance('c', 0, generation, 9)).toBe(true);
    expect(positions.position('c', 0)?.next).toBe(9);
    positions.back('c', 0, 3);
    expect(positions.advance('c', 0, generation, 20)).toBe(false);
    expect(positions.position('c', 0)?.next).toBe(3);
  });

  it('never move forward by going back, but a batch under way is over all the same', () => {
    const positions = new Positions();
    positions.start('c', 0, 5);
    const generation = positions.position('c', 0)?.generation as number;
    expect(positions.back('c', 0, 8)).toBe(false);
    expect(positions.position('c', 0)?.next).toBe(5);
    expect(positions.advance('c', 0, generation, 9)).toBe(false);
  });

  it('are attested only for ends that were read two leases after the begin, and only when they are reached', () => {
    const positions = new Positions();
    positions.start('c', 0, 0);
    positions.start('t', 0, 0);
    expect(positions.learn('o', status())).toBe(true);
    expect(positions.endsAreDue('o', 1_000)).toBe(false);
    expect(positions.learn('o', status({ nowMs: 12_000 }))).toBe(false);
    expect(positions.endsAreDue('o', 1_000)).toBe(true);
    expect(positions.attestable('o')).toEqual([]);
    positions.setEnds('o', 'e1', ends(4, 0));
    expect(positions.attestable('o')).toEqual([{ kind: 't', partition: 0, nextOffset: 0 }]);
    positions.advance('c', 0, positions.position('c', 0)?.generation as number, 4);
    expect(positions.attestable('o').map(({ kind }) => kind)).toEqual(['c', 't']);
  });

  it('tell how many records are left, once it is known where the logs end', () => {
    const positions = new Positions();
    positions.start('c', 0, 1);
    positions.start('t', 0, 0);
    expect(positions.left()).toBe(0);
    positions.learn('o', status());
    positions.learn('other', status({ usable: true }));
    expect(positions.left()).toBeNull();
    positions.setEnds('o', 'e1', ends(4, 2));
    expect(positions.left()).toBe(5);
    positions.learn('o', status({ usable: true }));
    expect(positions.left()).toBe(0);
  });

  it('begin anew with an epoch that is new: ends of the one before do not count', () => {
    const positions = new Positions();
    positions.start('c', 0, 4);
    positions.learn('o', status());
    positions.setEnds('o', 'e1', ends(0, 0));
    expect(positions.learn('o', status({ epoch: 'e2' }))).toBe(true);
    positions.setEnds('o', 'e1', ends(0, 0));
    expect(positions.attestable('o')).toEqual([]);
  });
});
