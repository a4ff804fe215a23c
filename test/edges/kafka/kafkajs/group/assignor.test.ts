import fc from 'fast-check';
import { AssignerProtocol, type Cluster } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { byNumber, shareOut } from '../../../../../src/edges/kafka/kafkajs/group/assignor.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);

describe(`the assignor (seed ${seed})`, () => {
  it('takes no partition from a member that has at most an even share', () => {
    const cases = fc.tuple(fc.integer({ min: 1, max: 8 }), fc.nat(40)).chain(([members, count]) =>
      // Who owns each partition now; `members` stands for nobody, or one who has gone.
      fc.tuple(fc.constant(members), fc.array(fc.nat(members), { minLength: count, maxLength: count })),
    );
    fc.assert(
      fc.property(cases, ([members, owners]) => {
        const all = Array.from({ length: members }, (_, m) => ({
          id: `m${m}`,
          owned: owners.flatMap((owner, partition) => (owner === m ? [partition] : [])),
        }));
        const partitions = owners.map((_, partition) => partition);
        const shares = shareOut(all, partitions);
        const least = Math.floor(partitions.length / members);
        for (const { id, owned } of all) {
          const kept = owned.filter((partition) => shares.get(id)?.includes(partition));
          expect(kept.length).toBeGreaterThanOrEqual(Math.min(owned.length, least));
        }
        // As many keep the one more as may have one, and as had it.
        const more = all.filter(({ owned }) => owned.length > least).length;
        const keepMore = all.filter(({ id, owned }) => {
          return (shares.get(id) ?? []).filter((partition) => owned.includes(partition)).length > least;
        });
        expect(keepMore.length).toBe(Math.min(more, partitions.length % members));
      }),
      { seed },
    );
  });

  it('does not depend on the order of the members', () => {
    const members = [
      { id: 'a', owned: [3] },
      { id: 'b', owned: [3, 1] },
      { id: 'c', owned: [] },
    ];
    const partitions = [0, 1, 2, 3, 4];
    expect(shareOut(members.toReversed(), partitions)).toEqual(shareOut(members, partitions));
  });

  it('gives partition n of both topics to one member, by what each member reports to hold', async () => {
    const cluster = {
      findTopicPartitionMetadata: () => [0, 1, 2].map((partitionId) => ({ partitionId })),
    } as unknown as Cluster;
    const topics = ['presence', 'events'];
    const assigner = (owned: number[]) => byNumber(() => owned)({ cluster, groupId: 'g', logger: {} as never });
    const metadata = (owned: number[]) => assigner(owned).protocol({ topics }).metadata;
    const members = [
      { memberId: 'a', memberMetadata: metadata([2]) },
      { memberId: 'b', memberMetadata: metadata([0, 1]) },
      { memberId: 'c', memberMetadata: Buffer.from('not ours') },
    ];
    const assignments = await assigner([]).assign({ members, topics });
    const decoded = assignments.map(({ memberId, memberAssignment }) => [
      memberId,
      AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment,
    ]);
    const both = (...share: number[]) => ({ presence: share, events: share });
    expect(decoded).toEqual([
      ['a', both(2)],
      ['b', both(0)],
      ['c', both(1)],
    ]);
  });
});

const members = fc.uniqueArray(fc.record({ id: fc.string({ minLength: 1 }), owned: fc.array(fc.nat(40)) }), {
  minLength: 1,
  maxLength: 9,
  selector: ({ id }) => id,
});

describe('partitions', () => {
  it('are each assigned once, and evenly', () => {
    fc.assert(
      fc.property(members, fc.nat(40), (all, count) => {
        const partitions = Array.from({ length: count }, (_, n) => n);
        const shares = [...shareOut(all, partitions).values()];
        expect(shares.flat().toSorted((a, b) => a - b)).toEqual(partitions);
        const sizes = shares.map((share) => share.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('stay with their members while the members stay, and only a share moves to a new member', () => {
    const partitions = [0, 1, 2, 3, 4, 5, 6, 7];
    const first = shareOut(
      [
        { id: 'a', owned: [] },
        { id: 'b', owned: [] },
      ],
      partitions,
    );
    const owned = [...first].map(([id, share]) => ({ id, owned: share }));
    expect(shareOut(owned, partitions)).toEqual(first);
    const third = shareOut([...owned, { id: 'c', owned: [] }], partitions);
    for (const { id, owned: had } of owned) expect(had).toEqual(expect.arrayContaining(third.get(id) ?? []));
  });
});
