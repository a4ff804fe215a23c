/**
 * The second half of outputs: consumer group on `outputs`, which sends each record on to where its org has configured. Each
 * output has a lane of its own (lane.ts), so that one that is slow or away holds up itself alone. Offsets are committed up to
 * the first record that is not settled: delivered, or given up to the dead letters. After a crash some are sent again.
 *
 * Bounds: what waits for one output, for one org, and for all together, in bytes. Beyond the first two a record is a dead letter
 * at once; beyond the last, partitions wait until what is ahead has been settled, which takes minutes at the most.
 */
import pLimit, { type LimitFunction } from 'p-limit';
import { persist } from '../../async/clock.ts';
import type { OutputRecord } from '../../model/records.ts';
import type { Batch, DeadLetter, Group, Handled, InRecord, Role, RolePorts } from '../../ports.ts';
import { type Item, Lane } from './lane.ts';
import type { OutputMemory } from './memory.ts';
import { OutputNotes } from './notes.ts';
import { OpenOffsets } from './open-offsets.ts';
import { type OutputRules, type OutputTarget, readOutput } from './setting.ts';

export const OUTPUTS_GROUP = 'reliable-tasking-outputs';

export type OutputSinks = {
  /** Posts a JSON body; rejects with an OutputFault unless the answer is 2xx. Private addresses are refused where they are not allowed. */
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

/** An event that has waited so long for its output is given up. */
export const GIVE_UP_MS = 120_000;
const OUTPUT_BYTES = 32 * 1024 * 1024;
const ORG_BYTES = 64 * 1024 * 1024;
const ALL_BYTES = 256 * 1024 * 1024;
/** What a record needs in memory beside its bytes and its body. */
const ITEM_BYTES = 512;
const WEBHOOK_AT_ONCE = 8;
const ORG_AT_ONCE = 32;
const FILE_LINES = 500;
const COMMIT_MS = 500;

type OutputLane = { lane: Lane; bytes: number };
type OrgShare = { bytes: number; limit: LimitFunction; lanes: Map<string, OutputLane> };
type OwnedPartition = {
  offsets: OpenOffsets;
  committed: number;
  isOurs: boolean;
  /** Not on `dead-letter` yet: their offsets stay open until they are. */
  unburied: DeadLetter[];
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
  readonly #orgs = new Map<string, OrgShare>();
  readonly #owned = new Map<number, OwnedPartition>();
  #bytes = 0;
  #onRoom: (() => void)[] = [];
  #stopped = false;
  #commits: ReturnType<DeliveryPorts['clock']['every']> | null = null;
  #group: Group | null = null;

  constructor(ports: DeliveryPorts) {
    this.#ports = ports;
    this.#rules = { outputDir: ports.config.OUTPUT_DIR, allowPrivate: ports.config.OUTPUT_ALLOW_PRIVATE };
    this.#notes = new OutputNotes(ports.outputMemory, ports.log, ports.clock);
  }

  async start(): Promise<void> {
    const { inbox, config, clock } = this.#ports;
    this.#group = await inbox.join({
      groupId: config.KAFKA_TOPIC_PREFIX + OUTPUTS_GROUP,
      topics: ['outputs'],
      onAssigned: () => this.#leaveOwned(),
      wanted: async () => null,
      onBatch: (batch) => this.#onBatch(batch),
    });
    this.#notes.start();
    this.#commits = clock.every(COMMIT_MS, () => this.#commitAll());
  }

  ready(): { ready: boolean; detail: string } {
    const joined = this.#group?.joined() === true;
    return { ready: joined, detail: joined ? 'delivering outputs' : 'joining the group' };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const lanes = [...this.#orgs.values()].flatMap((share) => [...share.lanes.values()]);
    await Promise.all(lanes.map(({ lane }) => lane.stop()));
    await this.#commits?.stop();
    await this.#commitAll();
    await this.#notes.stop();
    await this.#group?.stop();
  }

  /** At each join all partitions are read anew from what was committed. */
  #leaveOwned(): void {
    for (const owned of this.#owned.values()) owned.isOurs = false;
    this.#owned.clear();
  }

  async #onBatch(batch: Batch): Promise<Handled> {
    const { inbox, clock, log } = this.#ports;
    if (this.#bytes >= ALL_BYTES) return { until: new Promise<void>((resolve) => this.#onRoom.push(resolve)) };
    const decoded = await persist(
      clock,
      batch.alive,
      () => inbox.decode('OutputRecord', batch.records),
      (error) => log.warn({ err: error }, 'outputs wait'),
    );
    if (decoded === undefined || !batch.alive()) return false;
    const owned = this.#ownedOf(batch.partition);
    for (const one of decoded) {
      if (!owned.offsets.add(one.record.offset)) continue; // it was handed over before
      const deadLetter =
        'refusal' in one ? { record: one.record, ...one.refusal } : this.#take(owned, one.record, one.value);
      if (deadLetter) owned.unburied.push(deadLetter);
    }
    if (!(await this.#bury(owned.unburied, batch.alive))) return false;
    for (const { record } of owned.unburied.splice(0)) owned.offsets.settle(record.offset);
    if (!batch.alive()) return false;
    owned.offsets.passed(batch.nextOffset);
    await this.#commit(batch.partition, owned);
    return true;
  }

  #ownedOf(partition: number): OwnedPartition {
    const owned = this.#owned.get(partition) ?? {
      offsets: new OpenOffsets(),
      committed: -1,
      isOurs: true,
      unburied: [],
    };
    this.#owned.set(partition, owned);
    return owned;
  }

  /** A letter where there is no room for it. What goes nowhere is done with. */
  #take(owned: OwnedPartition, record: InRecord, value: OutputRecord): DeadLetter | null {
    const target = this.#targetOf(value);
    if (target === undefined) {
      owned.offsets.settle(record.offset);
      return null;
    }
    const bytes = (record.value?.length ?? 0) + value.body.length + ITEM_BYTES;
    const share = this.#shareOf(value.oid);
    const mine = share.lanes.get(value.output) ?? this.#openLane(share, value, target);
    if (mine.bytes + bytes > OUTPUT_BYTES || share.bytes + bytes > ORG_BYTES) return this.#overflow(record, value);
    const weigh = (sign: 1 | -1) => {
      for (const holder of [mine, share]) holder.bytes += sign * bytes;
      this.#bytes += sign * bytes;
    };
    weigh(1);
    mine.lane.add({
      ...{ record, value, bytes },
      giveUpAtMs: this.#ports.clock.monoMs() + GIVE_UP_MS,
      isOurs: () => owned.isOurs,
      settle: () => {
        weigh(-1);
        owned.offsets.settle(record.offset);
        if (this.#bytes < ALL_BYTES) for (const resume of this.#onRoom.splice(0)) resume();
      },
    });
    return null;
  }

  #shareOf(oid: string): OrgShare {
    const share = this.#orgs.get(oid) ?? { bytes: 0, limit: pLimit(ORG_AT_ONCE), lanes: new Map() };
    this.#orgs.set(oid, share);
    return share;
  }

  #openLane(share: OrgShare, { oid, output }: OutputRecord, target: OutputTarget): OutputLane {
    const isFile = target.type === 'file';
    const lane = new Lane({
      clock: this.#ports.clock,
      chunk: isFile ? FILE_LINES : 1,
      width: isFile ? 1 : WEBHOOK_AT_ONCE,
      send: (items) => share.limit(() => this.#send(items)),
      failed: (reason) => this.#notes.add(oid, output, reason, 0),
      giveUp: (items, reason) => this.#giveUp(items, reason),
      onIdle: () => {
        share.lanes.delete(output);
        if (share.lanes.size === 0) this.#orgs.delete(oid);
      },
    });
    const opened = { lane, bytes: 0 };
    share.lanes.set(output, opened);
    return opened;
  }

  /** To where the output goes by now: it may have been set anew while they waited. */
  async #send(items: readonly Item[]): Promise<void> {
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

  async #giveUp(items: readonly Item[], reason: string): Promise<boolean> {
    const deadLetters = items.map(
      ({ record }): DeadLetter => ({ record, code: 'output_undelivered', message: reason }),
    );
    if (!(await this.#bury(deadLetters, () => !this.#stopped))) return false;
    const [first] = items;
    if (first) this.#notes.add(first.value.oid, first.value.output, reason, items.length);
    return true;
  }

  #overflow(record: InRecord, { oid, output }: OutputRecord): DeadLetter {
    const message = 'More waits for the output, or for the outputs of the org, than is kept.';
    this.#notes.add(oid, output, message, 1);
    return { record, code: 'output_undelivered', message };
  }

  /** False: given up, because all stops. */
  async #bury(deadLetters: DeadLetter[], alive: () => boolean): Promise<boolean> {
    if (deadLetters.length === 0) return true;
    const { outbox, clock, log, metrics } = this.#ports;
    const buried = await persist(
      clock,
      alive,
      async () => {
        await outbox.deadLetters(deadLetters);
        return true;
      },
      (error) => log.warn({ err: error }, 'dead letters wait'),
    );
    if (buried) for (const { code } of deadLetters) metrics.deadLettered(code);
    return buried === true;
  }

  async #commitAll(): Promise<void> {
    for (const [partition, owned] of [...this.#owned])
      await this.#commit(partition, owned).catch((error: unknown) =>
        this.#ports.log.debug({ err: error, partition }, 'outputs are not committed yet'),
      );
  }

  async #commit(partition: number, owned: OwnedPartition): Promise<void> {
    const { committable } = owned.offsets;
    if (!owned.isOurs || committable <= owned.committed) return;
    await this.#group?.commit('outputs', partition, committable);
    owned.committed = committable;
  }

  #targetOf({ oid, output }: OutputRecord): OutputTarget | undefined {
    const setting = this.#ports.settings.get(oid, 'OUTPUT', output);
    try {
      return setting && readOutput(setting.value, this.#rules);
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      this.#notes.add(oid, output, `It is not delivered here: ${fault}`, 0);
      return undefined;
    }
  }
}
