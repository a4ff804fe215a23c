/**
 * Keeps the followed orgs in step with Redis: positions the partitions after a join, follows new orgs, and compares the offsets of
 * the others with those in Redis. If Redis was lost, restored or emptied, the partition moves back to what Redis has.
 */
import type { Group, RolePorts } from '../../ports.ts';
import { FollowedOrgs } from './followed-orgs.ts';
import type { NoteRequest, ResponseStore } from './responses.ts';

/** How often the offsets are compared, and advanced for orgs without responses. */
const COMPARE_MS = 5_000;
const ADVANCES_MAX = 1_000;
/** The clocks of the brokers and of this process differ: the first records of an org can seem older than its subscription. */
const SLACK_MS = 60_000;
const POSITION_RETRY_MS = 500;

export type FollowPorts = Pick<RolePorts, 'inbox' | 'orgs' | 'projection' | 'clock' | 'log'> & {
  responses: Pick<ResponseStore, 'note' | 'positions'>;
};

export class Follow {
  readonly orgs = new FollowedOrgs();
  readonly #ports: FollowPorts;
  #positioned: Promise<void> = Promise.resolve();
  #assignment = 0;
  #comparedMono = 0;
  group: Group | null = null;

  constructor(ports: FollowPorts) {
    this.#ports = ports;
  }

  assign(partitions: readonly number[]): void {
    this.#assignment += 1;
    const assignment = this.#assignment;
    this.#positioned = this.#position(partitions, () => assignment === this.#assignment);
  }

  async wanted(partition: number): Promise<number | null> {
    await this.#positioned;
    return this.orgs.positions.at(partition)?.next ?? null;
  }

  /** Ends the positioning, if it still runs. */
  stop(): void {
    this.#assignment += 1;
  }

  /** From the end of each partition. Following an org moves the partition back to its offset. */
  async #position(partitions: readonly number[], isCurrent: () => boolean): Promise<void> {
    const { inbox, clock, log } = this.#ports;
    while (isCurrent()) {
      try {
        const ends = await inbox.ends('sensorEvents');
        if (!isCurrent()) return;
        this.orgs.assign(new Map(partitions.map((partition) => [partition, ends.get(partition)?.high ?? 0])));
        await this.#followMissing();
        return;
      } catch (error) {
        log.warn({ err: error }, 'start offsets of the response collector not readable; retrying');
        await clock.delay(POSITION_RETRY_MS);
      }
    }
  }

  async look(): Promise<void> {
    const { clock, log } = this.#ports;
    try {
      await this.#positioned;
      if (clock.monoMs() - this.#comparedMono >= COMPARE_MS) {
        this.#comparedMono = clock.monoMs();
        await this.#compare();
        await this.#advanceIdle();
      }
      await this.#followMissing();
    } catch (error) {
      log.warn({ err: error }, 'offsets of responses not compared: Redis or Kafka does not answer; retrying');
    }
  }

  async #compare(): Promise<void> {
    const oids = this.#ports.orgs.table.oids();
    // An offset that is stored while Redis answers proves nothing about what was remembered before.
    const before = new Map(oids.map((oid) => [oid, this.orgs.storedText(oid)]));
    for (const [i, found] of (await this.#ports.responses.positions(oids)).entries()) {
      const oid = oids[i] as string;
      if (found !== null && before.get(oid) === this.orgs.storedText(oid)) this.orgs.compare(oid, found);
    }
  }

  /** Follows orgs that are not followed, once their projection is usable. */
  async #followMissing(): Promise<void> {
    const { responses, projection, orgs, inbox, log } = this.#ports;
    const partitions = this.orgs.positions.keys;
    const missing = orgs.table.oids().filter((oid) => !this.orgs.isFollowed(oid));
    if (missing.length === 0) return;
    const assignment = this.#assignment;
    const statuses = await projection.status(missing);
    const usable = missing.filter((_, i) => statuses[i]?.usable);
    if (usable.length === 0) return;
    const offsets = await responses.positions(usable);
    const sinceMs = Math.min(...usable.map((oid) => orgs.table.firstSubscribedAtMs(oid))) - SLACK_MS;
    const isNew = offsets.some((found) => partitions.some((partition) => found?.has(partition) === false));
    const starts = isNew ? await inbox.since('sensorEvents', sinceMs) : new Map<number, number>();
    if (assignment !== this.#assignment) return;
    for (const [i, oid] of usable.entries()) {
      const found = offsets[i];
      if (!found) continue;
      for (const partition of partitions) {
        if (this.orgs.stored(oid, partition) !== undefined) continue;
        const stored = found.get(partition) ?? null;
        const start = stored ?? starts.get(partition) ?? 0;
        if (!this.orgs.follow(oid, partition, stored, start)) continue;
        this.group?.seek('sensorEvents', partition, start);
        log.info({ oid, partition, offset: start }, 'response collector reads the partition again for the org');
      }
    }
  }

  async #advanceIdle(): Promise<void> {
    await this.note(
      this.orgs.lagging(ADVANCES_MAX).map(({ oid, partition, stored, next }) => ({
        oid,
        partition,
        expected: stored,
        nextOffset: next,
        byTask: new Map(),
      })),
    );
  }

  /** An org whose responses are not stored is dropped, and followed again later. */
  async note(requests: NoteRequest[]): Promise<void> {
    if (requests.length === 0) return;
    const answers = await this.#ports.responses.note(requests);
    for (const [i, { oid, partition, expected, nextOffset }] of requests.entries()) {
      if (answers[i] !== 'noted') this.orgs.drop(oid, partition);
      // Otherwise it was dropped meanwhile, and is followed again from the offset that Redis has.
      else if (this.orgs.stored(oid, partition) === expected) this.orgs.set(oid, partition, nextOffset);
    }
  }
}
