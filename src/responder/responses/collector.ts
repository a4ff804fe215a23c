/**
 * Collects the responses of tasks: consumer group on `sensor-events`, whose positions stand in Redis beside what they are of.
 *
 *   decode -> gather (which events name a task) -> note -> commit
 *
 * A Redis that was lost, restored or emptied has other positions than it was given: the partition goes back to them, and what
 * is read again is noted once. One org that cannot be noted does not hold up the others: it is taken on again later.
 */
import { persist } from '../../async/clock.ts';
import type { Batch, Group, InRecord, Role, RolePorts } from '../../ports.ts';
import { pagesOf } from '../../text/chunks.ts';
import { type Gathered, gather } from './gather.ts';
import { Positions } from './positions.ts';
import type { NoteRequest, ResponseStore } from './responses.ts';

export const RESPONSES_GROUP = 'reliable-tasking-responses';

const LOOK_MS = 1_000;
/** Positions in Redis are compared with what is believed, and moved on for orgs without responses. */
const COMPARE_MS = 5_000;
const ADVANCES_MAX = 1_000;
/** Clocks of brokers and ours differ; an org's first records are looked for this long before its subscription. */
const SLACK_MS = 60_000;
const POSITION_AGAIN_MS = 500;
/** Records decoded together. */
const PAGE = 500;

export type CollectorPorts = Pick<
  RolePorts,
  'inbox' | 'orgs' | 'projection' | 'clock' | 'log' | 'config' | 'metrics'
> & {
  responses: ResponseStore;
};

export async function startCollector(ports: CollectorPorts): Promise<Role> {
  const collector = new Collector(ports);
  await collector.start();
  return collector;
}

class Collector implements Role {
  readonly #ports: CollectorPorts;
  readonly #positions = new Positions();
  #positioned: Promise<void> = Promise.resolve();
  #generation = 0;
  #comparedMono = 0;
  #group: Group | null = null;
  #looker: { stop(): Promise<void>; soon(): void } | null = null;

  constructor(ports: CollectorPorts) {
    this.#ports = ports;
  }

  async start(): Promise<void> {
    const { inbox, config, clock } = this.#ports;
    this.#group = await inbox.join({
      groupId: config.KAFKA_TOPIC_PREFIX + RESPONSES_GROUP,
      topics: ['sensorEvents'],
      onAssigned: (partitions) => {
        this.#generation += 1;
        const mine = this.#generation;
        this.#positioned = this.#position(partitions, () => mine === this.#generation);
      },
      wanted: async (_topic, partition) => {
        await this.#positioned;
        return this.#positions.at(partition)?.next ?? null;
      },
      onBatch: (batch) => this.#onBatch(batch),
    });
    this.#looker = clock.every(LOOK_MS, () => this.#look());
  }

  ready(): { ready: boolean; detail: string } {
    const fault = this.#group?.fault();
    if (fault) return { ready: false, detail: fault };
    const joined = this.#group?.joined() === true;
    return { ready: joined, detail: joined ? 'collecting responses' : 'joining the group' };
  }

  async stop(): Promise<void> {
    this.#generation += 1;
    await this.#looker?.stop();
    await this.#group?.stop();
  }

  /** From the end, and back to where the orgs stand as they are taken on. */
  async #position(partitions: number[], current: () => boolean): Promise<void> {
    const { inbox, clock, log } = this.#ports;
    while (current()) {
      try {
        const ends = await inbox.ends('sensorEvents');
        if (!current()) return;
        this.#positions.assign(new Map(partitions.map((partition) => [partition, ends.get(partition)?.high ?? 0])));
        await this.#takeMissing();
        return;
      } catch (error) {
        log.warn({ err: error }, 'where to read responses from is not known yet');
        await clock.delay(POSITION_AGAIN_MS);
      }
    }
  }

  async #look(): Promise<void> {
    const { clock, log } = this.#ports;
    try {
      await this.#positioned;
      if (clock.monoMs() - this.#comparedMono >= COMPARE_MS) {
        this.#comparedMono = clock.monoMs();
        await this.#compare();
        await this.#advanceIdle();
      }
      await this.#takeMissing();
    } catch (error) {
      log.warn({ err: error }, 'responses cannot be looked after');
    }
  }

  async #compare(): Promise<void> {
    const { responses, orgs } = this.#ports;
    const oids = orgs.table.oids();
    // What is noted while the question is under way says nothing against what was believed: it is asked of what stood before.
    const before = new Map(oids.map((oid) => [oid, this.#storedOf(oid)]));
    for (const [i, found] of (await responses.positions(oids)).entries()) {
      const oid = oids[i] as string;
      if (found !== null && before.get(oid) === this.#storedOf(oid)) this.#positions.compare(oid, found);
    }
  }

  #storedOf = (oid: string): string =>
    this.#positions.partitions.map((partition) => String(this.#positions.stored(oid, partition))).join(' ');

  /** Takes on the orgs that are not followed, if their projection is complete. */
  async #takeMissing(): Promise<void> {
    const { responses, projection, orgs, inbox, log } = this.#ports;
    const { partitions } = this.#positions;
    const isMissing = (oid: string) => partitions.some((p) => this.#positions.stored(oid, p) === undefined);
    const missing = orgs.table.oids().filter(isMissing);
    if (missing.length === 0) return;
    const generation = this.#generation;
    const statuses = await projection.status(missing);
    const usable = missing.filter((_, i) => statuses[i]?.usable);
    if (usable.length === 0) return;
    const positions = await responses.positions(usable);
    const sinceMs = Math.min(...usable.map((oid) => orgs.table.firstSubscribedAtMs(oid))) - SLACK_MS;
    const isNew = positions.some((found) => partitions.some((p) => found?.has(p) === false));
    const starts = isNew ? await inbox.since('sensorEvents', sinceMs) : new Map<number, number>();
    if (generation !== this.#generation) return;
    for (const [i, oid] of usable.entries()) {
      const found = positions[i];
      if (!found) continue;
      for (const partition of partitions) {
        if (this.#positions.stored(oid, partition) !== undefined) continue;
        const stored = found.get(partition) ?? null;
        const start = stored ?? starts.get(partition) ?? 0;
        if (!this.#positions.take(oid, partition, stored, start)) continue;
        this.#group?.seek('sensorEvents', partition, start);
        log.info({ oid, partition, offset: start }, 'reading responses again');
      }
    }
  }

  async #advanceIdle(): Promise<void> {
    const idle = this.#positions.lagging(ADVANCES_MAX);
    await this.#note(
      idle.map(({ oid, partition, stored, next }) => ({
        ...{ oid, partition, expected: stored, nextOffset: next, byTask: new Map() },
      })),
    );
  }

  async #gathered(records: readonly InRecord[]): Promise<Gathered> {
    const { inbox, orgs } = this.#ports;
    const byOrg: Gathered = new Map();
    for (const page of pagesOf(records, PAGE)) gather(await inbox.decode('SensorEvent', page), orgs.table, byOrg);
    return byOrg;
  }

  async #onBatch(batch: Batch): Promise<boolean> {
    const { clock, log, metrics } = this.#ports;
    const { partition, nextOffset } = batch;
    const position = this.#positions.at(partition);
    if (!position) return false;
    const { generation } = position;
    const startedMono = clock.monoMs();
    const found = await persist(
      clock,
      batch.alive,
      () => this.#gathered(batch.records),
      (error) => log.warn({ err: error }, 'responses wait'),
    );
    if (found === undefined) return false;
    await this.#note(
      [...found].flatMap(([oid, byTask]) => {
        const expected = this.#positions.stored(oid, partition);
        const isHad = expected !== undefined && expected !== null && expected >= nextOffset;
        return expected === undefined || isHad ? [] : [{ oid, partition, expected, nextOffset, byTask }];
      }),
    );
    if (!batch.alive() || !this.#positions.advance(partition, generation, nextOffset)) return false;
    await this.#group?.commit('sensorEvents', partition, nextOffset);
    metrics.batchLatency('responses', clock.monoMs() - startedMono);
    return true;
  }

  /** Whoever is not noted is not followed any more, and taken on again. */
  async #note(requests: NoteRequest[]): Promise<void> {
    if (requests.length === 0) return;
    const answers = await this.#ports.responses.note(requests);
    for (const [i, { oid, partition, expected, nextOffset }] of requests.entries()) {
      if (answers[i] !== 'noted') this.#positions.drop(oid, partition);
      // Dropped meanwhile: it stays so, and is taken on from what Redis has.
      else if (this.#positions.stored(oid, partition) === expected) this.#positions.set(oid, partition, nextOffset);
    }
  }
}
