/**
 * Collects the responses of tasks: a consumer group on `sensor-events` whose offsets are in Redis, beside the response locations.
 *
 *   decode -> gather (which events name a task) -> note (in Redis) -> commit
 *
 * An org whose responses cannot be stored does not hold up the other orgs: its records are read again later.
 */
import { consume, judgeAll } from '../../consumer.ts';
import type { Batch, Group, InRecord, Role, RolePorts } from '../../ports.ts';
import { chunksOf } from '../../text/chunks.ts';
import { Follow, type FollowPorts } from './follow.ts';
import { type Gathered, gather, judgeResponse } from './gather.ts';

export const RESPONSES_GROUP = 'reliable-tasking-responses';

const LOOK_MS = 1_000;
/** Records that are decoded together. */
const CHUNK = 500;

export type CollectorPorts = FollowPorts & Pick<RolePorts, 'config' | 'metrics'>;

export async function startCollector(ports: CollectorPorts): Promise<Role> {
  const collector = new Collector(ports);
  await collector.start();
  return collector;
}

class Collector implements Role {
  readonly #ports: CollectorPorts;
  readonly #follow: Follow;
  #group: Group | null = null;
  #looker: { stop(): Promise<void> } | null = null;

  constructor(ports: CollectorPorts) {
    this.#ports = ports;
    this.#follow = new Follow(ports);
  }

  async start(): Promise<void> {
    const { inbox, config, clock } = this.#ports;
    this.#group = await inbox.join({
      groupId: config.KAFKA_TOPIC_PREFIX + RESPONSES_GROUP,
      topics: ['sensorEvents'],
      onAssigned: (partitions) => this.#follow.assign(partitions),
      wanted: (_topic, partition) => this.#follow.wanted(partition),
      onBatch: (batch) => this.#onBatch(batch),
    });
    this.#follow.group = this.#group;
    this.#looker = clock.every(LOOK_MS, () => this.#follow.look());
  }

  ready(): { ready: boolean; detail: string } {
    const fault = this.#group?.fault();
    if (fault) return { ready: false, detail: fault };
    const joined = this.#group?.joined() === true;
    return { ready: joined, detail: joined ? 'collecting responses' : 'joining the group' };
  }

  async stop(): Promise<void> {
    this.#follow.stop();
    await this.#looker?.stop();
    await this.#group?.stop();
  }

  async #onBatch(batch: Batch): Promise<boolean> {
    const { partition, nextOffset } = batch;
    const { orgs } = this.#follow;
    const position = orgs.positions.at(partition);
    if (!position) return false;
    return consume(this.#ports, 'responses', batch, {
      perform: async () => {
        const gathered = await this.#gather(batch.records);
        // An org that is followed since the batch began needs earlier records first.
        if (!batch.alive() || !orgs.positions.isCurrent(partition, position.generation)) return false;
        await this.#note(gathered, partition, nextOffset);
        return batch.alive() && orgs.positions.advance(partition, position.generation, nextOffset);
      },
      commit: async () => this.#group?.commit('sensorEvents', partition, nextOffset),
    });
  }

  async #gather(records: readonly InRecord[]): Promise<Gathered> {
    const { inbox, orgs } = this.#ports;
    const gathered: Gathered = new Map();
    for (const chunk of chunksOf(records, CHUNK)) {
      const decoded = await inbox.decode('SensorEvent', chunk);
      gather(judgeAll(decoded, orgs.table, judgeResponse).accepted, gathered);
    }
    return gathered;
  }

  /** Redis may have the batch for an org already: then the partition moved back for another one. */
  async #note(gathered: Gathered, partition: number, nextOffset: number): Promise<void> {
    await this.#follow.note(
      [...gathered].flatMap(([oid, byTask]) => {
        const expected = this.#follow.orgs.stored(oid, partition);
        const isStored = expected !== undefined && expected !== null && expected >= nextOffset;
        return expected === undefined || isStored ? [] : [{ oid, partition, expected, nextOffset, byTask }];
      }),
    );
  }
}
