/**
 * Sends outputs to their targets: a consumer group on `outputs`.
 *
 *   decode -> enqueue (queues.ts) -> dead letters -> commit
 *
 * Records are settled out of order: sent, or written to the dead letters. Offsets are committed up to the first record that is
 * not settled, so after a crash some records are sent again.
 */
import { persist } from '../../async/clock.ts';
import { consume, writeDeadLetters } from '../../consumer.ts';
import type { OutputRecord } from '../../model/records.ts';
import type { Batch, DeadLetter, Group, Handled, InRecord, Role, RolePorts } from '../../ports.ts';
import type { OutputMemory } from './memory.ts';
import { OutputNotes } from './notes.ts';
import { OpenOffsets } from './open-offsets.ts';
import type { QueuedRecord } from './queue.ts';
import { OutputQueues } from './queues.ts';
import { type OutputRules, type OutputTarget, readOutput } from './setting.ts';

export const OUTPUTS_GROUP = 'reliable-tasking-outputs';

export type OutputSinks = {
  /** Posts a JSON body. Rejects with an OutputFault if the answer is not 2xx, or if the address is private and that is not
   *  allowed. */
  post(url: string, headers: Record<string, string>, body: string, id: string): Promise<void>;
  /** Appends lines to a file of the org. */
  append(oid: string, path: string, lines: string): Promise<void>;
};

export type DeliveryPorts = Pick<
  RolePorts,
  'inbox' | 'outbox' | 'settings' | 'clock' | 'log' | 'config' | 'metrics'
> & {
  sinks: OutputSinks;
  outputMemory: OutputMemory;
};

const COMMIT_MS = 500;

type OwnedPartition = {
  offsets: OpenOffsets;
  committed: number;
  isOwned: boolean;
  /** Not on the topic yet. Their offsets stay open until they are. */
  deadLetters: DeadLetter[];
};

export async function startDelivery(ports: DeliveryPorts): Promise<Role> {
  const delivery = new Delivery(ports);
  await delivery.start();
  return delivery;
}

class Delivery implements Role {
  readonly #ports: DeliveryPorts;
  readonly #rules: OutputRules;
  readonly #notes: OutputNotes;
  readonly #queues: OutputQueues;
  readonly #partitions = new Map<number, OwnedPartition>();
  #stopped = false;
  #commits: { stop(): Promise<void> } | null = null;
  #group: Group | null = null;

  constructor(ports: DeliveryPorts) {
    this.#ports = ports;
    this.#rules = { outputDir: ports.config.OUTPUT_DIR, allowPrivate: ports.config.OUTPUT_ALLOW_PRIVATE };
    this.#notes = new OutputNotes(ports.outputMemory, ports.log, ports.clock);
    this.#queues = new OutputQueues({
      clock: ports.clock,
      send: (items) => this.#send(items),
      failed: (oid, output, reason) => this.#notes.add(oid, output, reason, 0),
      giveUp: (items, reason) => this.#giveUp(items, reason),
    });
  }

  async start(): Promise<void> {
    const { inbox, config, clock } = this.#ports;
    this.#group = await inbox.join({
      groupId: config.KAFKA_TOPIC_PREFIX + OUTPUTS_GROUP,
      topics: ['outputs'],
      onAssigned: () => this.#leavePartitions(),
      wanted: async () => null,
      onBatch: (batch) => this.#onBatch(batch),
    });
    this.#notes.start();
    this.#commits = clock.every(COMMIT_MS, () => this.#commitAll());
  }

  /** After a join all partitions are read again from their committed offsets. */
  #leavePartitions(): void {
    for (const owned of this.#partitions.values()) owned.isOwned = false;
    this.#partitions.clear();
  }

  async #onBatch(batch: Batch): Promise<Handled> {
    if (this.#queues.isFull) return { until: this.#queues.room() };
    return consume(this.#ports, 'outputs', batch, {
      perform: () => this.#perform(batch),
      commit: async () => {
        const owned = this.#ownedOf(batch.partition);
        owned.offsets.passed(batch.nextOffset);
        await this.#commit(batch.partition, owned);
      },
    });
  }

  async #perform(batch: Batch): Promise<boolean> {
    const decoded = await this.#ports.inbox.decode('OutputRecord', batch.records);
    if (!batch.alive()) return false;
    const owned = this.#ownedOf(batch.partition);
    for (const item of decoded) {
      const { record } = item;
      if (!owned.offsets.add(record.offset)) continue; // an earlier attempt has taken it
      const deadLetter = 'refusal' in item ? { record, ...item.refusal } : this.#enqueue(owned, record, item.value);
      if (deadLetter) owned.deadLetters.push(deadLetter);
    }
    await writeDeadLetters(this.#ports, owned.deadLetters);
    for (const { record } of owned.deadLetters.splice(0)) owned.offsets.settle(record.offset);
    return true;
  }

  #ownedOf(partition: number): OwnedPartition {
    const owned = this.#partitions.get(partition) ?? {
      offsets: new OpenOffsets(),
      committed: -1,
      isOwned: true,
      deadLetters: [],
    };
    this.#partitions.set(partition, owned);
    return owned;
  }

  /** A record of an output that is not configured is settled at once. Returns a dead letter if there is no room for the record. */
  #enqueue(owned: OwnedPartition, record: InRecord, value: OutputRecord): DeadLetter | null {
    const { oid, output } = value;
    const target = this.#targetOf(value);
    const settle = () => owned.offsets.settle(record.offset);
    if (target === undefined) {
      settle();
      return null;
    }
    if (this.#queues.add(target, record, value, { isOwned: () => owned.isOwned, settle })) return null;
    const message = 'The queue of the output, or those of the org, are full: the output is too slow or away.';
    this.#notes.add(oid, output, message, 1);
    return { record, code: 'output_undelivered', message };
  }

  /** To the current target: it can have changed while the events waited. */
  async #send(items: readonly QueuedRecord[]): Promise<void> {
    const { sinks } = this.#ports;
    const [first] = items;
    const target = first && this.#targetOf(first.value);
    if (!first || !target) return;
    if (target.type === 'file') {
      const lines = items.map(({ value }) => `${value.body}\n`).join('');
      return sinks.append(first.value.oid, target.path, lines);
    }
    for (const { value } of items) await sinks.post(target.url, target.headers, value.body, value.event_id);
  }

  /** False: the process stops, and the dead letters may not be written. */
  async #giveUp(items: readonly QueuedRecord[], reason: string): Promise<boolean> {
    const { clock, log } = this.#ports;
    const deadLetters = items.map(
      ({ record }): DeadLetter => ({ record, code: 'output_undelivered', message: reason }),
    );
    const isWritten = await persist(
      clock,
      () => !this.#stopped,
      async () => {
        await writeDeadLetters(this.#ports, deadLetters);
        return true;
      },
      (err) => log.warn({ err }, 'dead letters of outputs not written; retrying'),
    );
    if (!isWritten) return false;
    const [first] = items;
    if (first) this.#notes.add(first.value.oid, first.value.output, reason, items.length);
    return true;
  }

  async #commitAll(): Promise<void> {
    for (const [partition, owned] of [...this.#partitions])
      await this.#commit(partition, owned).catch((err: unknown) =>
        this.#ports.log.debug({ err, partition }, 'offset of outputs not committed; retrying'),
      );
  }

  async #commit(partition: number, owned: OwnedPartition): Promise<void> {
    const { committable } = owned.offsets;
    if (!owned.isOwned || committable <= owned.committed) return;
    await this.#group?.commit('outputs', partition, committable);
    owned.committed = committable;
  }

  #targetOf({ oid, output }: OutputRecord): OutputTarget | undefined {
    const setting = this.#ports.settings.get(oid, 'OUTPUT', output);
    try {
      return setting && readOutput(setting.value, this.#rules);
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      this.#notes.add(oid, output, `The setting of the output is not valid here: ${fault}`, 0);
      return undefined;
    }
  }

  ready(): { ready: boolean; detail: string } {
    const joined = this.#group?.joined() === true;
    return { ready: joined, detail: joined ? 'delivering outputs' : 'joining the group' };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#queues.stop();
    await this.#commits?.stop();
    await this.#commitAll();
    await this.#notes.stop();
    await this.#group?.stop();
  }
}
