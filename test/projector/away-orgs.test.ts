/** Orgs without an answer while others answer: when they count as away, and what is read again for them. */
import { describe, expect, it } from 'vitest';
import type { InRecord } from '../../src/ports.ts';
import { AwayOrgs } from '../../src/projector/away-orgs.ts';
import type { OrgStatus } from '../../src/projector/projection.ts';

const HERE = {} as OrgStatus;
const at = (offset: number, partition = 0) => ({ partition, offset }) as InRecord;

describe('an org that does not answer', () => {
  it('is away after some polls in a row, and back with its first answer', () => {
    const awayOrgs = new AwayOrgs();
    const look = (status: OrgStatus | null) => awayOrgs.look(['a', 'b'], [HERE, status]);
    expect([look(null), look(null), look(HERE), look(null), look(null), look(null)].map((away) => away.length)).toEqual(
      [0, 0, 0, 0, 0, 1],
    );
    expect([awayOrgs.isAway('a'), awayOrgs.isAway('b'), awayOrgs.count]).toEqual([false, true, 1]);
    expect(look(HERE)).toEqual([]);
    expect(awayOrgs.count).toBe(0);
  });

  it('is away at once if its offsets are needed, and not any more when the org is deleted', () => {
    const awayOrgs = new AwayOrgs();
    expect(awayOrgs.look(['a'], [null], true)).toEqual(['a']);
    expect(awayOrgs.look([], [])).toEqual([]);
    expect(awayOrgs.isAway('a')).toBe(false);
  });

  it('has its commands passed over, and their effects are written when the partition is read again', () => {
    const awayOrgs = new AwayOrgs();
    expect(awayOrgs.passOver('a', at(3), 5)).toBe(false);
    awayOrgs.look(['a'], [null], true);
    expect([
      awayOrgs.passOver('a', at(7), 9),
      awayOrgs.passOver('a', at(8), 9),
      awayOrgs.passOver('a', at(2, 1), 4),
    ]).toEqual([true, true, true]);
    expect([awayOrgs.from('a', 0), awayOrgs.from('a', 1), awayOrgs.from('b', 0)]).toEqual([
      7,
      2,
      Number.POSITIVE_INFINITY,
    ]);
    expect([awayOrgs.fromOfAll(0), awayOrgs.fromOfAll(1), awayOrgs.fromOfAll(2)]).toEqual([
      7,
      2,
      Number.POSITIVE_INFINITY,
    ]);
    awayOrgs.caughtUp(0, 9, () => false); // the partition has not moved back yet
    awayOrgs.caughtUp(0, 8, () => true);
    expect(awayOrgs.from('a', 0)).toBe(7);
    awayOrgs.caughtUp(0, 9, () => true);
    expect([awayOrgs.fromOfAll(0), awayOrgs.fromOfAll(1)]).toEqual([Number.POSITIVE_INFINITY, 2]);
  });
});
