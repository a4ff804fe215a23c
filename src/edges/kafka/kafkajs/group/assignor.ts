/**
 * Assigns partitions by number: partition n of every topic of the group goes to one member, because one process must read a sensor's
 * presence and its receipts (a task's commands and its events). Sticky: a member keeps its partitions as far as the shares stay even,
 * since the next owner of a partition has to load it again.
 */
import { AssignerProtocol, type PartitionAssigner } from 'kafkajs';

const NAME = 'reliable-tasking-by-number';
const VERSION = 1;

export type Member = { id: string; owned: number[] };

/** Splits `partitions` among members: shares differ by one at most, and owners keep theirs where that allows it. Total. */
export function shareOut(members: readonly Member[], partitions: readonly number[]): Map<string, number[]> {
  const order = [...members].sort((a, b) => (a.id < b.id ? -1 : 1));
  const shares = new Map<string, number[]>(order.map((member) => [member.id, []]));
  if (order.length === 0) return shares;
  const least = Math.floor(partitions.length / order.length);
  let larger = partitions.length % order.length;
  const free = new Set(partitions);
  const keepUpTo = (limit: (kept: number) => boolean, member: Member) => {
    const share = shares.get(member.id) as number[];
    for (const partition of member.owned) {
      if (free.has(partition) && limit(share.length)) {
        free.delete(partition);
        share.push(partition);
      }
    }
  };
  for (const member of order) keepUpTo((kept) => kept < least, member);
  for (const member of order) {
    keepUpTo((kept) => {
      if (kept > least || larger === 0) return false;
      larger -= 1;
      return true;
    }, member);
  }
  const left = [...free].sort((a, b) => a - b);
  for (const member of order) {
    const share = shares.get(member.id) as number[];
    while (share.length < least && left.length > 0) share.push(left.shift() as number);
  }
  for (const member of order) {
    const share = shares.get(member.id) as number[];
    if (share.length === least && left.length > 0) share.push(left.shift() as number);
  }
  for (const share of shares.values()) share.sort((a, b) => a - b);
  return shares;
}

/** `owned` returns, at each join, the partitions that this member holds. */
export function byNumber(owned: () => number[]): PartitionAssigner {
  return ({ cluster }) => ({
    name: NAME,
    version: VERSION,
    protocol: ({ topics }) => ({
      name: NAME,
      metadata: AssignerProtocol.MemberMetadata.encode({
        version: VERSION,
        topics,
        userData: Buffer.from(JSON.stringify(owned())),
      }),
    }),
    assign: async ({ members, topics }) => {
      const byTopic = topics.map((topic) => ({
        topic,
        partitions: cluster.findTopicPartitionMetadata(topic).map((p) => p.partitionId),
      }));
      const numbers = [...new Set(byTopic.flatMap(({ partitions }) => partitions))];
      const shares = shareOut(
        members.map(({ memberId, memberMetadata }) => ({ id: memberId, owned: ownedOf(memberMetadata) })),
        numbers,
      );
      return [...shares].map(([memberId, share]) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version: VERSION,
          userData: Buffer.alloc(0),
          assignment: Object.fromEntries(
            byTopic.map(({ topic, partitions }) => [topic, share.filter((n) => partitions.includes(n))]),
          ),
        }),
      }));
    },
  });
}

function ownedOf(metadata: Buffer): number[] {
  try {
    const owned: unknown = JSON.parse(AssignerProtocol.MemberMetadata.decode(metadata)?.userData.toString() ?? '[]');
    return Array.isArray(owned) ? owned.filter((n) => Number.isInteger(n)) : [];
  } catch {
    return [];
  }
}
