/**
 * One consumer group on the broker: members, generations, rebalances. A member without heartbeats for its session timeout is
 * removed. Commits of another generation are refused.
 */
import type { Broker } from './broker.ts';

export type Assignment = ReadonlyMap<string, Buffer>;
export type Joined = { memberId: string; generation: number; assignment: Buffer };
export type JoinRequest = {
  memberId: string | null;
  sessionMs: number;
  rebalanceMs: number;
  metadata: Buffer;
  /** Assigns the partitions, if this member is the leader. */
  assign(members: { memberId: string; memberMetadata: Buffer }[]): Promise<Assignment>;
};

type Member = JoinRequest & { id: string; seenMs: number; waiting: ((joined: Joined) => void) | null };

export class GroupError extends Error {
  readonly type: string;

  constructor(type: 'UNKNOWN_MEMBER_ID' | 'ILLEGAL_GENERATION' | 'REBALANCE_IN_PROGRESS') {
    super(type);
    this.type = type;
  }
}

const FIRST_WAIT_MS = 20;

export class Coordinator {
  readonly #broker: Broker;
  readonly #members = new Map<string, Member>();
  #generation = 0;
  #preparing = false;
  #round = 0;
  #ids = 0;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  join(request: JoinRequest): Promise<Joined> {
    const { scheduler } = this.#broker;
    if (request.memberId !== null && !this.#members.has(request.memberId)) throw new GroupError('UNKNOWN_MEMBER_ID');
    this.#ids += 1;
    const id = request.memberId ?? `member${String(this.#ids).padStart(4, '0')}`;
    return new Promise((resolve) => {
      this.#members.set(id, { ...request, id, seenMs: scheduler.nowMs, waiting: resolve });
      if (request.memberId === null) this.#watch(id);
      this.#prepare();
      // More members may join at the same time.
      scheduler.after(FIRST_WAIT_MS, () => this.#tryComplete(false));
    });
  }

  leave(memberId: string): void {
    if (this.#members.delete(memberId)) this.#prepare();
    this.#tryComplete(false);
  }

  heartbeat(memberId: string, generation: number): void {
    const member = this.#known(memberId, generation);
    member.seenMs = this.#broker.scheduler.nowMs;
    if (this.#preparing) throw new GroupError('REBALANCE_IN_PROGRESS');
  }

  commit(memberId: string, generation: number, key: string, offset: number): void {
    this.#known(memberId, generation);
    this.#broker.committed.set(key, offset);
  }

  /** The broker was away: it got no heartbeats. */
  seenAll(): void {
    for (const member of this.#members.values()) member.seenMs = this.#broker.scheduler.nowMs;
  }

  #known(memberId: string, generation: number): Member {
    const member = this.#members.get(memberId);
    if (!member) throw new GroupError('UNKNOWN_MEMBER_ID');
    if (generation !== this.#generation) throw new GroupError('ILLEGAL_GENERATION');
    return member;
  }

  #watch(id: string): void {
    const member = this.#members.get(id);
    if (!member) return;
    const { scheduler, up } = this.#broker;
    const left = member.seenMs + member.sessionMs - scheduler.nowMs;
    if (left <= 0 && up && member.waiting === null) {
      this.leave(id);
      return;
    }
    scheduler.after(Math.max(left, 500), () => this.#watch(id));
  }

  #prepare(): void {
    if (this.#preparing) return;
    this.#preparing = true;
    this.#round += 1;
    const round = this.#round;
    const waitMs = Math.max(...[...this.#members.values()].map(({ rebalanceMs }) => rebalanceMs), 0);
    this.#broker.scheduler.after(waitMs, () => round === this.#round && this.#tryComplete(true));
  }

  /** `late`: members that have not joined again are removed. */
  #tryComplete(late: boolean): void {
    if (!this.#preparing || this.#members.size === 0) return;
    const missing = [...this.#members.values()].filter(({ waiting }) => waiting === null);
    if (missing.length > 0 && !late) return;
    for (const { id } of missing) this.#members.delete(id);
    const members = [...this.#members.values()];
    this.#preparing = false;
    this.#round += 1;
    this.#generation += 1;
    if (members.length > 0) void this.#shareOut(members, this.#generation);
  }

  async #shareOut(members: Member[], generation: number): Promise<void> {
    const shares = await (members[0] as Member).assign(
      members.map(({ id, metadata }) => ({ memberId: id, memberMetadata: metadata })),
    );
    for (const member of members) {
      const { waiting } = member;
      member.waiting = null;
      member.seenMs = this.#broker.scheduler.nowMs;
      waiting?.({ memberId: member.id, generation, assignment: shares.get(member.id) as Buffer });
    }
  }
}
