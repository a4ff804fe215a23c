/**
 * From which offset on the effects of records (events, dead letters) are written. The effects of records below were written when
 * they were first read, so a replay does not write them again. The offsets of the group follow.
 */
import type { AwayOrgs } from './away-orgs.ts';
import { type Kind, type PartitionKey, partitionKey } from './org-progress.ts';

export class EffectOffsets {
  readonly #from = new Map<PartitionKey, number>();
  readonly #committed = new Map<PartitionKey, number>();
  readonly #awayOrgs: AwayOrgs;

  constructor(awayOrgs: AwayOrgs) {
    this.#awayOrgs = awayOrgs;
  }

  /** The partition was assigned, with this offset of the group. */
  start(kind: Kind, partition: number, committed: number): void {
    const key = partitionKey(kind, partition);
    this.#from.set(key, Math.max(committed, this.from(kind, partition)));
    this.#committed.set(key, committed);
  }

  from(kind: Kind, partition: number): number {
    return this.#from.get(partitionKey(kind, partition)) ?? 0;
  }

  /** The same for the commands of one org: it can have been away. */
  fromOf(oid: string, partition: number): number {
    return Math.min(this.from('c', partition), this.#awayOrgs.from(oid, partition));
  }

  /** A batch is done. Commits if all effects are written further than before; a replay does not move the group back. */
  async done(
    kind: Kind,
    partition: number,
    nextOffset: number,
    commit: (nextOffset: number) => Promise<void>,
  ): Promise<void> {
    const key = partitionKey(kind, partition);
    const from = Math.max(nextOffset, this.from(kind, partition));
    const committable = kind === 'c' ? Math.min(from, this.#awayOrgs.fromOfAll(partition)) : from;
    if (committable > (this.#committed.get(key) ?? 0)) {
      await commit(committable);
      this.#committed.set(key, committable);
    }
    this.#from.set(key, from);
  }
}
