import { describe, expect, it } from 'vitest';
import { Positions } from '../../src/positions.ts';
import { OrgProgress, type PartitionKey } from '../../src/projector/org-progress.ts';
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

function progressAt(offsets: Partial<Record<PartitionKey, number>>) {
  const positions = new Positions<PartitionKey>();
  for (const [key, next] of Object.entries(offsets)) positions.start(key as PartitionKey, Number(next));
  return { positions, progress: new OrgProgress(positions) };
}

describe('the partitions of an org', () => {
  it('are attestable when they have reached ends that were read two leases after the begin', () => {
    const { positions, progress } = progressAt({ c0: 0, t0: 0 });
    expect(progress.learn('o', status())).toBe(true);
    expect(progress.endsAreDue('o', 1_000)).toBe(false);
    expect(progress.learn('o', status({ nowMs: 12_000 }))).toBe(false);
    expect(progress.endsAreDue('o', 1_000)).toBe(true);
    expect(progress.attestable('o')).toEqual([]);
    progress.setEnds('o', 'e1', ends(4, 0));
    expect(progress.attestable('o')).toEqual([{ kind: 't', partition: 0, nextOffset: 0 }]);
    positions.advance('c0', positions.at('c0')?.generation as number, 4);
    expect(progress.attestable('o').map(({ kind }) => kind)).toEqual(['c', 't']);
  });

  it('have a number of records left, once the ends of the logs are known', () => {
    const { progress } = progressAt({ c0: 1, t0: 0 });
    expect(progress.left()).toBe(0);
    progress.learn('o', status());
    progress.learn('other', status({ usable: true }));
    expect(progress.left()).toBeNull();
    progress.setEnds('o', 'e1', ends(4, 2));
    expect(progress.left()).toBe(5);
    progress.learn('o', status({ usable: true }));
    expect(progress.left()).toBe(0);
  });

  it('start again with a new epoch: the ends of the epoch before do not count', () => {
    const { progress } = progressAt({ c0: 4 });
    progress.learn('o', status());
    progress.setEnds('o', 'e1', ends(0, 0));
    expect(progress.learn('o', status({ epoch: 'e2' }))).toBe(true);
    progress.setEnds('o', 'e1', ends(0, 0));
    expect(progress.attestable('o')).toEqual([]);
  });
});
