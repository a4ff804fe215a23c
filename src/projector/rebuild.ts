/**
 * Brings the projection of each org to the end of the log, and attests it in Redis: at the first start, for a new org, and
 * after Redis was emptied, restored or replaced. It polls the markers of the orgs and acts on what they say.
 *
 *   projection.begin (read the markers) -> go back -> read the ends -> attest
 *
 * Two kinds of work run one at a time: positioning the partitions after a join, and polling. Otherwise positions that were found
 * under one epoch could be set after the next epoch was learnt, which would then be attested without its first records.
 */
import type { Group, RolePorts } from '../ports.ts';
import { Positions } from '../positions.ts';
import { chunksOf } from '../text/chunks.ts';
import type { TopicKey } from '../topics.ts';
import { AwayOrgs } from './away-orgs.ts';
import { EffectOffsets } from './effect-offsets.ts';
import { KINDS, OrgProgress, type PartitionKey, partitionKey, TOPIC_OF } from './org-progress.ts';
import type { AdvanceRequest, AttestRequest, OrgStatus } from './projection.ts';
import { Refusals } from './refusals.ts';
import { neededOffset, startOffsetsOf } from './start-offsets.ts';

const POSITION_RETRY_MS = 500;
const ADVANCES_PER_PIPELINE = 1_000;

type RebuildPorts = Pick<RolePorts, 'inbox' | 'projection' | 'orgs' | 'config' | 'clock' | 'log'>;

export class Rebuild {
  readonly positions = new Positions<PartitionKey>();
  readonly orgs = new OrgProgress(this.positions);
  readonly awayOrgs = new AwayOrgs();
  readonly effects = new EffectOffsets(this.awayOrgs);
  readonly refusals: Refusals;
  #partitions: readonly number[] = [];
  #positioned: Promise<void> = Promise.resolve();
  #lastWork: Promise<unknown> = Promise.resolve();
  #assignment = 0;
  #polling: Promise<boolean> | null = null;
  readonly #ports: RebuildPorts;
  readonly #groupId: string;
  group: Group | null = null;

  constructor(ports: RebuildPorts, groupId: string) {
    this.#ports = ports;
    this.#groupId = groupId;
    this.refusals = new Refusals(ports);
  }

  /** Every partition of the assignment has a position. */
  get positioned(): boolean {
    return KINDS.every((kind) =>
      this.#partitions.every((partition) => this.positions.at(partitionKey(kind, partition)) !== undefined),
    );
  }

  get partitions(): readonly number[] {
    return this.#partitions;
  }

  /** A new assignment of partitions: finds out where to read each. */
  assign(partitions: number[]): void {
    this.#partitions = partitions;
    this.positions.clear();
    this.orgs.forgetAttested();
    this.refusals.forget(); // another process can have held any of them in between
    this.#assignment += 1;
    const assignment = this.#assignment;
    this.#positioned = this.#afterOtherWork(() => this.#positionUntilDone(() => assignment === this.#assignment));
  }

  #afterOtherWork<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#lastWork.then(work, work);
    this.#lastWork = result.catch(() => undefined);
    return result;
  }

  async wanted(key: PartitionKey): Promise<number | null> {
    let positioned: Promise<void>;
    do {
      positioned = this.#positioned;
      await positioned;
    } while (positioned !== this.#positioned); // a further join came meanwhile
    return this.positions.at(key)?.next ?? null;
  }

  /** Gives up as soon as there is a newer assignment. */
  async #positionUntilDone(isCurrent: () => boolean): Promise<void> {
    while (isCurrent()) {
      try {
        await this.#position(isCurrent);
        return;
      } catch (error) {
        this.#ports.log.warn({ err: error }, 'start offsets of the projector not readable; retrying');
        await this.#ports.clock.delay(POSITION_RETRY_MS);
      }
    }
  }

  async #position(isCurrent: () => boolean): Promise<void> {
    const { inbox, projection, orgs } = this.#ports;
    const oids = orgs.table.oids();
    const answers = oids.length === 0 ? [] : await projection.begin(oids);
    const statuses = answeredOf(oids, answers);
    const starts = await startOffsetsOf(this.#ports, statuses, this.#partitions);
    const logs = await Promise.all(
      KINDS.map(async (kind) => ({
        kind,
        committed: await inbox.committed(this.#groupId, TOPIC_OF[kind]),
        ends: await inbox.ends(TOPIC_OF[kind]),
      })),
    );
    if (!isCurrent()) return;
    // How far an org without an answer is, is not known. Its records are read again when it is back.
    for (const oid of this.awayOrgs.look(oids, answers, true)) this.orgs.forget(oid);
    for (const [oid, status] of statuses) this.orgs.learn(oid, status);
    let isReplay = false;
    for (const { kind, committed, ends } of logs) {
      for (const partition of this.#partitions) {
        const low = ends.get(partition)?.low ?? 0;
        const from = committed.get(partition) ?? low;
        const needed = statuses.map(([oid, status]) => neededOffset(kind, partition, status, starts.get(oid)));
        const next = Math.max(low, Math.min(from, ...needed));
        this.effects.start(kind, partition, from);
        this.positions.start(partitionKey(kind, partition), next);
        isReplay ||= next < from;
      }
    }
    if (isReplay) await this.refusals.load();
  }

  /** Reads all markers and acts on them. Resolves to whether every org is usable. Concurrent calls share one run. */
  poll(): Promise<boolean> {
    this.#polling ??= this.#afterOtherWork(() => this.#poll()).finally(() => {
      this.#polling = null;
    });
    return this.#polling;
  }

  async #poll(): Promise<boolean> {
    const { orgs, projection } = this.#ports;
    const oids = orgs.table.oids();
    for (const [oid] of this.orgs.all()) if (!oids.includes(oid)) this.orgs.forget(oid);
    if (oids.length === 0) return true;
    const answers = await projection.begin(oids);
    for (const oid of this.awayOrgs.look(oids, answers)) this.orgs.forget(oid);
    const statuses = answeredOf(oids, answers);
    const fresh = statuses.filter(([oid, { epoch }]) => this.orgs.get(oid)?.epoch !== epoch);
    if (fresh.length > 0) await this.#goBack(fresh);
    for (const [oid, status] of statuses) this.orgs.learn(oid, status);
    await this.#readEnds(oids);
    await this.#attest(oids);
    return statuses.length === oids.length && oids.every((oid) => this.orgs.get(oid)?.usable);
  }

  /** The new epochs count only once the positions have moved back, so there is no await between the two. */
  async #goBack(fresh: (readonly [string, OrgStatus])[]): Promise<void> {
    const starts = await startOffsetsOf(this.#ports, fresh, this.#partitions);
    await this.refusals.load();
    for (const [oid, status] of fresh) this.orgs.learn(oid, status);
    for (const kind of KINDS) {
      for (const partition of this.#partitions) {
        const needed = Math.min(
          ...fresh.map(([oid, status]) => neededOffset(kind, partition, status, starts.get(oid))),
          // Redis can have applied commands that were passed over: an earlier attempt of the batch came that far.
          ...(kind === 'c' ? fresh.map(([oid]) => this.awayOrgs.from(oid, partition)) : []),
        );
        if (!this.positions.back(partitionKey(kind, partition), needed)) continue;
        this.group?.seek(TOPIC_OF[kind], partition, needed);
        this.#ports.log.info({ topic: TOPIC_OF[kind], partition, offset: needed }, 'rebuild reads the partition again');
      }
    }
  }

  async #readEnds(oids: string[]): Promise<void> {
    const due = oids.filter((oid) => this.orgs.endsAreDue(oid, this.#ports.config.CLAIM_LEASE_MS));
    if (due.length === 0) return;
    const epochs = due.map((oid) => this.orgs.get(oid)?.epoch ?? '');
    const [c, t] = await Promise.all([this.#highs('commands'), this.#highs('taskEvents')]);
    for (const [i, oid] of due.entries()) this.orgs.setEnds(oid, epochs[i] as string, { c, t });
  }

  async #highs(topic: TopicKey): Promise<Map<number, number>> {
    const ends = await this.#ports.inbox.ends(topic);
    return new Map([...ends].map(([partition, { low, high }]) => [partition, low === high ? 0 : high]));
  }

  async #attest(oids: string[]): Promise<void> {
    const requests = oids.flatMap((oid): AttestRequest[] => {
      const org = this.orgs.get(oid);
      if (!org?.ends) return [];
      const { epoch, ends } = org;
      const total = ends.c.size + ends.t.size;
      return this.orgs.attestable(oid).map((position) => ({ oid, epoch, total, ...position }));
    });
    if (requests.length === 0) return;
    const answers = await this.#ports.projection.attest(requests);
    for (const [i, { oid, epoch, kind, partition }] of requests.entries()) {
      const org = this.orgs.get(oid);
      if (answers[i]?.ok && org?.epoch === epoch) org.attested.add(partitionKey(kind, partition));
    }
  }

  /** Advances the offsets in Redis of orgs that have no records in what was read. Not while a poll runs. */
  async advanceIdle(): Promise<void> {
    await this.#positioned;
    const requests: AdvanceRequest[] = [];
    for (const [oid, { epoch, advanced }] of this.orgs.all()) {
      for (const kind of KINDS) {
        for (const partition of this.#partitions) {
          const key = partitionKey(kind, partition);
          const nextOffset = this.positions.at(key)?.next ?? 0;
          if (nextOffset > (advanced.get(key) ?? 0)) requests.push({ oid, epoch, kind, partition, nextOffset });
        }
      }
    }
    for (const chunk of chunksOf(requests, ADVANCES_PER_PIPELINE)) {
      const answers = await this.#ports.projection.advance(chunk);
      for (const [i, { oid, epoch, kind, partition, nextOffset }] of chunk.entries()) {
        const org = this.orgs.get(oid);
        if (answers[i]?.ok && org?.epoch === epoch) org.advanced.set(partitionKey(kind, partition), nextOffset);
      }
    }
  }
}

/** The orgs that answered. */
const answeredOf = (
  oids: readonly string[],
  answers: readonly (OrgStatus | null)[],
): (readonly [string, OrgStatus])[] =>
  oids.flatMap((oid, i) => {
    const status = answers[i];
    return status ? [[oid, status] as const] : [];
  });
