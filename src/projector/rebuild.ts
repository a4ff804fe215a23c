/**
 * Brings the projection of each org to the end of the log, and says so in Redis: at the first start, for a new org, and
 * after Redis was emptied, restored or replaced. It needs nobody: it polls the markers and acts on what they say.
 *
 * Placing the partitions after a join and looking at the markers take turns. Places that were found under one epoch must
 * not be set after the next epoch was learnt: the new one would be attested without its first records.
 */
import type { Logger } from 'pino';
import type { Group, RolePorts } from '../ports.ts';
import type { TopicKey } from '../topics.ts';
import { Missed } from './away-orgs.ts';
import { KINDS, type Kind, Positions, TOPIC_OF } from './positions.ts';
import type { AdvanceRequest, AttestRequest, OrgStatus } from './projection.ts';
import { Refusals } from './refusals.ts';

/** Clocks of brokers and ours differ; an org's first records are looked for this long before its subscription. */
const SLACK_MS = 60_000;

const ADVANCES_PER_PIPELINE = 1_000;

type Starts = Record<Kind, Map<number, number>>;

export class Rebuild {
  readonly positions = new Positions();
  /** Side effects (events, dead letters) are written from these offsets on; below, they were written before. */
  readonly effectsFrom = new Map<string, number>();
  readonly missed = new Missed();
  readonly refusals: Refusals;
  /** How far the group was told. */
  readonly #committed = new Map<string, number>();
  #partitions: number[] = [];
  #positioned: Promise<void> = Promise.resolve();
  #turns: Promise<unknown> = Promise.resolve();
  #generation = 0;
  #polling: Promise<boolean> | null = null;
  readonly #ports: RolePorts;
  readonly #groupId: string;
  readonly #log: Logger;
  group: Group | null = null;

  constructor(ports: RolePorts, groupId: string) {
    this.#ports = ports;
    this.#groupId = groupId;
    this.refusals = new Refusals(ports);
    this.#log = ports.log;
  }

  /** Every partition of the share has its place. */
  get positioned(): boolean {
    return KINDS.every((kind) => this.#partitions.every((p) => this.positions.position(kind, p) !== undefined));
  }

  get partitions(): readonly number[] {
    return this.#partitions;
  }

  /** Partitions have been shared out: find out where to read each. */
  assign(partitions: number[]): void {
    this.#partitions = partitions;
    this.positions.reset();
    this.refusals.forget(); // another may have held any of them meanwhile, unnoticed by a process that slept
    this.#generation += 1;
    const mine = this.#generation;
    this.#positioned = this.#inTurn(() => this.#positionUntilDone(() => mine === this.#generation));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const generation = this.#turns.then(work, work);
    this.#turns = generation.catch(() => undefined);
    return generation;
  }

  async wanted(kind: Kind, partition: number): Promise<number | null> {
    let positioned: Promise<void>;
    do {
      positioned = this.#positioned;
      await positioned;
    } while (positioned !== this.#positioned); // a further join came meanwhile
    return this.positions.position(kind, partition)?.next ?? null;
  }

  /** Effects of this org's commands are told from here on. */
  effectsOf(oid: string, partition: number): number {
    return Math.min(this.effectsFrom.get(`c${partition}`) ?? 0, this.missed.from(oid, partition));
  }

  /** A batch is done. `commit` tells the group how far all effects were written, when that is further than before. */
  async done(
    kind: Kind,
    partition: number,
    nextOffset: number,
    commit: (nextOffset: number) => Promise<void>,
  ): Promise<void> {
    const key = kind + partition;
    const effects = Math.max(nextOffset, this.effectsFrom.get(key) ?? 0);
    const whole = kind === 'c' ? Math.min(effects, this.missed.fromOf(partition)) : effects;
    if (whole > (this.#committed.get(key) ?? 0)) {
      await commit(whole);
      this.#committed.set(key, whole);
    }
    this.effectsFrom.set(key, effects);
  }

  /** Gives up as soon as a further join has made the share another one. */
  async #positionUntilDone(current: () => boolean): Promise<void> {
    while (current()) {
      try {
        await this.#position(current);
        return;
      } catch (error) {
        this.#log.warn({ err: error }, 'the offsets to start from cannot be read; trying again');
        await this.#ports.clock.delay(500);
      }
    }
  }

  async #position(current: () => boolean): Promise<void> {
    const { inbox, projection, orgs } = this.#ports;
    const oids = orgs.table.oids();
    const statuses = oids.length === 0 ? [] : await projection.begin(oids);
    const known = oids.flatMap((oid, i) => (statuses[i] ? [[oid, statuses[i]] as const] : []));
    const starts = await this.#startsOf(known);
    const logs = await Promise.all(
      KINDS.map(async (kind) => ({
        kind,
        committed: await inbox.committed(this.#groupId, TOPIC_OF[kind]),
        ends: await inbox.ends(TOPIC_OF[kind]),
      })),
    );
    if (!current()) return;
    // Where an org stands that does not answer is not known: it is read again from there when it is back.
    for (const oid of this.missed.look(oids, statuses, true)) this.positions.forget(oid);
    for (const [oid, status] of known) this.positions.learn(oid, status);
    let replay = false;
    for (const { kind, committed, ends } of logs) {
      for (const partition of this.#partitions) {
        const low = ends.get(partition)?.low ?? 0;
        const from = committed.get(partition) ?? low;
        const needed = known.map(([oid, status]) => offsetOf(kind, partition, status, starts.get(oid)));
        const next = Math.max(low, Math.min(from, ...needed));
        this.effectsFrom.set(kind + partition, Math.max(from, this.effectsFrom.get(kind + partition) ?? 0));
        this.#committed.set(kind + partition, from);
        replay ||= next < from;
        this.positions.start(kind, partition, next);
      }
    }
    if (replay) await this.refusals.load();
  }

  /** Where the records of orgs without stored offsets begin. */
  async #startsOf(orgs: (readonly [string, OrgStatus])[]): Promise<Map<string, Starts>> {
    const starts = new Map<string, Starts>();
    for (const [oid, status] of orgs) {
      const complete = this.#partitions.every((p) => status.commandOffsets.has(p) && status.eventOffsets.has(p));
      if (complete) continue;
      const sinceMs = this.#ports.orgs.table.firstSubscribedAtMs(oid) - SLACK_MS;
      const [c, t] = await Promise.all([
        this.#ports.inbox.since('commands', sinceMs),
        this.#ports.inbox.since('taskEvents', sinceMs),
      ]);
      starts.set(oid, { c, t });
    }
    return starts;
  }

  /** One look at all markers, and whatever follows from it. Answers whether every org is usable. Runs once at a time. */
  poll(): Promise<boolean> {
    this.#polling ??= this.#inTurn(() => this.#poll()).finally(() => {
      this.#polling = null;
    });
    return this.#polling;
  }

  async #poll(): Promise<boolean> {
    const { orgs, projection } = this.#ports;
    const oids = orgs.table.oids();
    for (const [oid] of this.positions.orgs()) if (!oids.includes(oid)) this.positions.forget(oid);
    if (oids.length === 0) return true;
    const statuses = await projection.begin(oids);
    for (const oid of this.missed.look(oids, statuses)) this.positions.forget(oid);
    const news = oids.flatMap((oid, i) => (statuses[i] ? [[oid, statuses[i]] as const] : []));
    const fresh = news.filter(([oid, { epoch }]) => this.positions.org(oid)?.epoch !== epoch);
    if (fresh.length > 0) await this.#goBack(fresh);
    for (const [oid, status] of news) this.positions.learn(oid, status);
    await this.#readEnds(oids);
    await this.#attest(oids);
    return news.length === oids.length && oids.every((oid) => this.positions.org(oid)?.usable);
  }

  /** The new epochs count only from the moment in which the places have moved back: there is no await in between. */
  async #goBack(fresh: (readonly [string, OrgStatus])[]): Promise<void> {
    const starts = await this.#startsOf(fresh);
    await this.refusals.load();
    for (const [oid, status] of fresh) this.positions.learn(oid, status);
    for (const kind of KINDS) {
      for (const partition of this.#partitions) {
        const needed = Math.min(
          ...fresh.map(([oid, status]) => offsetOf(kind, partition, status, starts.get(oid))),
          // Redis may have applied what was passed over: a try before can have come that far.
          ...(kind === 'c' ? fresh.map(([oid]) => this.missed.from(oid, partition)) : []),
        );
        if (!this.positions.back(kind, partition, needed)) continue;
        this.group?.seek(TOPIC_OF[kind], partition, needed);
        this.#log.info({ topic: TOPIC_OF[kind], partition, offset: needed }, 'reading again for the projection');
      }
    }
  }

  async #readEnds(oids: string[]): Promise<void> {
    const due = oids.filter((oid) => this.positions.endsAreDue(oid, this.#ports.config.CLAIM_LEASE_MS));
    if (due.length === 0) return;
    const epochs = due.map((oid) => this.positions.org(oid)?.epoch ?? '');
    const [c, t] = await Promise.all([this.#highs('commands'), this.#highs('taskEvents')]);
    for (const [i, oid] of due.entries()) this.positions.setEnds(oid, epochs[i] as string, { c, t });
  }

  async #highs(topic: TopicKey): Promise<Map<number, number>> {
    const ends = await this.#ports.inbox.ends(topic);
    return new Map([...ends].map(([partition, { low, high }]) => [partition, low === high ? 0 : high]));
  }

  async #attest(oids: string[]): Promise<void> {
    const requests = oids.flatMap((oid): AttestRequest[] => {
      const org = this.positions.org(oid);
      if (!org?.ends) return [];
      const [{ epoch }, total] = [org, org.ends.c.size + org.ends.t.size];
      return this.positions.attestable(oid).map((position) => ({ oid, epoch, total, ...position }));
    });
    if (requests.length === 0) return;
    const answers = await this.#ports.projection.attest(requests);
    for (const [i, { oid, epoch, kind, partition }] of requests.entries()) {
      const org = this.positions.org(oid);
      if (answers[i]?.ok && org?.epoch === epoch) org.attested.add(kind + partition);
    }
  }

  /** Tells Redis how far the partitions are for orgs that had no records there. Not while a poll is under way. */
  async advanceIdle(): Promise<void> {
    await this.#positioned;
    const requests: (AdvanceRequest & { told: Map<string, number> })[] = [];
    for (const [oid, { epoch, told }] of this.positions.orgs()) {
      for (const kind of KINDS) {
        for (const partition of this.#partitions) {
          const nextOffset = this.positions.position(kind, partition)?.next ?? 0;
          if (nextOffset > (told.get(kind + partition) ?? 0))
            requests.push({ oid, epoch, kind, partition, nextOffset, told });
        }
      }
    }
    for (let i = 0; i < requests.length; i += ADVANCES_PER_PIPELINE) {
      const some = requests.slice(i, i + ADVANCES_PER_PIPELINE);
      const answers = await this.#ports.projection.advance(some);
      for (const [at, { kind, partition, nextOffset, told }] of some.entries())
        if (answers[at]?.ok) told.set(kind + partition, nextOffset);
    }
  }
}

function offsetOf(kind: Kind, partition: number, status: OrgStatus, starts: Starts | undefined): number {
  const stored = kind === 'c' ? status.commandOffsets : status.eventOffsets;
  return stored.get(partition) ?? starts?.[kind].get(partition) ?? 0;
}
