/** Orgs that do not answer while others do: when they count as away, and what has to be read again for them. */
import { describe, expect, it } from 'vitest';
import type { InRecord } from '../../src/ports.ts';
import { Missed } from '../../src/projector/away-orgs.ts';
import type { OrgStatus } from '../../src/projector/projection.ts';

const HERE = {} as OrgStatus;
const at = (offset: number, partition = 0) => ({ partition, offset }) as InRecord;

describe('an org that does not answer', () => {
  it('is away after some looks in a row, and back with the first that it answers', () => {
    const missed = new Missed();
    const look = (status: OrgStatus | null) => missed.look(['a', 'b'], [HERE, status]);
    expect([look(null), look(null), look(HERE), look(null), look(null), look(null)].map((away) => away.length)).toEqual(
      [0, 0, 0, 0, 0, 1],
    );
    expect([missed.isAway('a'), missed.isAway('b'), missed.away]).toEqual([false, true, 1]);
    expect(look(HERE)).toEqual([]);
    expect(missed.away).toBe(0);
  });

  it('is away at once where its place is needed, and forgotten with the org', () => {
    const missed = new Missed();
    expect(missed.look(['a'], [null], true)).toEqual(['a']);
    expect(missed.look([], [])).toEqual([]);
    expect(missed.isAway('a')).toBe(false);
  });

  it('has its commands passed over, and told again from the first of them until the partition has been read again', () => {
    const missed = new Missed();
    expect(missed.passOver('a', at(3), 5)).toBe(false);
    missed.look(['a'], [null], true);
    expect([missed.passOver('a', at(7), 9), missed.passOver('a', at(8), 9), missed.passOver('a', at(2, 1), 4)]).toEqual(
      [true, true, true],
    );
    expect([missed.from('a', 0), missed.from('a', 1), missed.from('b', 0)]).toEqual([7, 2, Number.POSITIVE_INFINITY]);
    expect([missed.fromOf(0), missed.fromOf(1), missed.fromOf(2)]).toEqual([7, 2, Number.POSITIVE_INFINITY]);
    missed.caughtUp(0, 9, () => false); // it has not gone back yet
    missed.caughtUp(0, 8, () => true);
    expect(missed.from('a', 0)).toBe(7);
    missed.caughtUp(0, 9, () => true);
    expect([missed.fromOf(0), missed.fromOf(1)]).toEqual([Number.POSITIVE_INFINITY, 2]);
  });
});
