/**
 * How far this process has applied each partition, and for which orgs that is enough: the state of a rebuild. Pure: it is
 * told what the markers say and answers where to read on, and what can be attested.
 *
 * A partition is read from the smallest offset that any org needs. An org that was lost, or is new, moves it back; records
 * that other orgs have are passed over by their own offsets. Each move back is a new `turn`: a batch of an earlier turn
 * gives up, so that no offset is stored past records that it has not seen.
 */
import type { TopicKey } from '../topics.ts';
import type { OrgStatus } from './projection.ts';

export type Kind = 'c' | 't';
export const KINDS: readonly Kind[] = ['c', 't'];
export const TOPIC_OF: Record<Kind, TopicKey> = { c: 'commands', t: 'taskEvents' };

type Position = { next: number; generation: number };

export type OrgProgress = {
  epoch: string;
  usable: boolean;
  begunAtMs: number;
  nowMs: number;
  /** End offsets that have to be reached; read two leases after the begin. */
  ends: Record<Kind, Map<number, number>> | null;
  attested: Set<string>;
  /** Next offsets that Redis was told though no record of the org stood there. */
  told: Map<string, number>;
};

export class Positions {
  readonly #positions = new Map<string, Position>();
  readonly #orgs = new Map<string, OrgProgress>();
  #generation = 0;

  /** Forgets all places: the partitions have been shared out anew. */
  reset(): void {
    this.#positions.clear();
    for (const org of this.#orgs.values()) org.attested.clear();
  }

  org(oid: string): OrgProgress | undefined {
    return this.#orgs.get(oid);
  }

  orgs(): Iterable<[string, OrgProgress]> {
    return this.#orgs;
  }

  position(kind: Kind, partition: number): Readonly<Position> | undefined {
    return this.#positions.get(kind + partition);
  }

  start(kind: Kind, partition: number, offset: number): void {
    this.#positions.set(kind + partition, { next: offset, generation: ++this.#generation });
  }

  /** Moves back to where an org needs to be read from; answers true if that is behind where we are. */
  back(kind: Kind, partition: number, offset: number): boolean {
    const position = this.#positions.get(kind + partition);
    if (!position) return false;
    // A new epoch is a new turn even if nothing lies behind: a batch under way was begun for the old one.
    const next = Math.min(position.next, offset);
    this.#positions.set(kind + partition, { next, generation: ++this.#generation });
    return next < position.next;
  }

  /** A batch of this turn has been applied. Answers false, changing nothing, when the turn is over. */
  advance(kind: Kind, partition: number, generation: number, nextOffset: number): boolean {
    const position = this.#positions.get(kind + partition);
    if (!position || position.generation !== generation) return false;
    position.next = Math.max(position.next, nextOffset);
    return true;
  }

  /** Takes in what a marker says. Answers true for an epoch that is new to this process. */
  learn(oid: string, status: OrgStatus): boolean {
    const known = this.#orgs.get(oid);
    if (known && known.epoch === status.epoch) {
      known.usable = status.usable;
      known.nowMs = status.nowMs;
      return false;
    }
    this.#orgs.set(oid, {
      epoch: status.epoch,
      usable: status.usable,
      begunAtMs: status.begunAtMs,
      nowMs: status.nowMs,
      ends: null,
      attested: new Set(),
      told: new Map(),
    });
    return true;
  }

  forget(oid: string): void {
    this.#orgs.delete(oid);
  }

  /** True when what claims and acks of the lost Redis still had to append is on the log: the ends may be read. */
  endsAreDue(oid: string, leaseMs: number): boolean {
    const org = this.#orgs.get(oid);
    return org !== undefined && !org.usable && org.ends === null && org.nowMs >= org.begunAtMs + 2 * leaseMs;
  }

  setEnds(oid: string, epoch: string, ends: Record<Kind, Map<number, number>>): void {
    const org = this.#orgs.get(oid);
    if (org && org.epoch === epoch) org.ends = ends;
  }

  /** Records that this process has still to read until every org is usable; null before it is known where the logs end. */
  left(): number | null {
    let left = 0;
    for (const [key, { next }] of this.#positions) {
      const [kind, partition] = [key[0] as Kind, Number(key.slice(1))];
      let end = 0;
      for (const org of this.#orgs.values()) {
        if (org.usable) continue;
        if (org.ends === null) return null;
        end = Math.max(end, org.ends[kind].get(partition) ?? 0);
      }
      left += Math.max(end - next, 0);
    }
    return left;
  }

  /** Partitions that have reached the ends of an org that is not usable yet. */
  attestable(oid: string): { kind: Kind; partition: number; nextOffset: number }[] {
    const org = this.#orgs.get(oid);
    if (!org?.ends || org.usable) return [];
    const found: { kind: Kind; partition: number; nextOffset: number }[] = [];
    for (const [key, position] of this.#positions) {
      const kind = key[0] as Kind;
      const partition = Number(key.slice(1));
      if (!org.attested.has(key) && position.next >= (org.ends[kind].get(partition) ?? 0))
        found.push({ kind, partition, nextOffset: position.next });
    }
    return found;
  }
}
