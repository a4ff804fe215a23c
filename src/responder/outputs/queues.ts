/**
 * The queues of all outputs, each with its own order, so that an output that is slow or away delays only itself.
 *
 * Limits in bytes: for one output, for one org, and for all together. A record above one of the first two is refused at once. Above
 * the last, partitions wait until earlier records are settled, which takes minutes at most.
 */
import pLimit, { type LimitFunction } from 'p-limit';
import type { Clock } from '../../async/clock.ts';
import type { OutputRecord } from '../../model/records.ts';
import type { InRecord } from '../../ports.ts';
import { OutputQueue, type QueuedRecord } from './queue.ts';
import type { OutputTarget } from './setting.ts';

/** An event that has waited so long for its output is given up. */
const GIVE_UP_MS = 120_000;
const OUTPUT_BYTES = 32 * 1024 * 1024;
const ORG_BYTES = 64 * 1024 * 1024;
const ALL_BYTES = 256 * 1024 * 1024;
/** The memory of a record besides its bytes and its body. */
const ITEM_BYTES = 512;
const WEBHOOK_REQUESTS = 8;
const ORG_REQUESTS = 32;
const FILE_LINES = 500;

export type QueuesPorts = {
  clock: Clock;
  send(items: readonly QueuedRecord[]): Promise<void>;
  failed(oid: string, output: string, reason: string): void;
  giveUp(items: readonly QueuedRecord[], reason: string): Promise<boolean>;
};

type SizedQueue = { queue: OutputQueue; bytes: number };
type OrgQueues = { bytes: number; limit: LimitFunction; outputs: Map<string, SizedQueue> };
type Owner = Pick<QueuedRecord, 'isOwned' | 'settle'>;

export class OutputQueues {
  readonly #ports: QueuesPorts;
  readonly #orgs = new Map<string, OrgQueues>();
  #bytes = 0;
  #onRoom: (() => void)[] = [];

  constructor(ports: QueuesPorts) {
    this.#ports = ports;
  }

  get isFull(): boolean {
    return this.#bytes >= ALL_BYTES;
  }

  /** Resolves when the queues are not full any more. */
  room(): Promise<void> {
    return new Promise((resolve) => this.#onRoom.push(resolve));
  }

  /** False: the queue of the output, or those of the org, have no room for the record. */
  add(target: OutputTarget, record: InRecord, value: OutputRecord, { isOwned, settle }: Owner): boolean {
    const org = this.#orgs.get(value.oid) ?? { bytes: 0, limit: pLimit(ORG_REQUESTS), outputs: new Map() };
    this.#orgs.set(value.oid, org);
    const sized = org.outputs.get(value.output) ?? this.#open(org, value, target);
    const bytes = (record.value?.length ?? 0) + value.body.length + ITEM_BYTES;
    if (sized.bytes + bytes > OUTPUT_BYTES || org.bytes + bytes > ORG_BYTES) return false;
    const count = (change: number) => {
      sized.bytes += change;
      org.bytes += change;
      this.#bytes += change;
    };
    count(bytes);
    sized.queue.add({
      record,
      value,
      giveUpAtMs: this.#ports.clock.monoMs() + GIVE_UP_MS,
      isOwned,
      settle: () => {
        count(-bytes);
        settle();
        if (!this.isFull) for (const resume of this.#onRoom.splice(0)) resume();
      },
    });
    return true;
  }

  async stop(): Promise<void> {
    const queues = [...this.#orgs.values()].flatMap(({ outputs }) => [...outputs.values()]);
    await Promise.all(queues.map(({ queue }) => queue.stop()));
  }

  #open(org: OrgQueues, { oid, output }: OutputRecord, target: OutputTarget): SizedQueue {
    const { clock, send, failed, giveUp } = this.#ports;
    const isFile = target.type === 'file';
    const queue = new OutputQueue({
      clock,
      chunk: isFile ? FILE_LINES : 1,
      width: isFile ? 1 : WEBHOOK_REQUESTS,
      send: (items) => org.limit(() => send(items)),
      failed: (reason) => failed(oid, output, reason),
      giveUp,
      onIdle: () => {
        org.outputs.delete(output);
        if (org.outputs.size === 0) this.#orgs.delete(oid);
      },
    });
    const sized = { queue, bytes: 0 };
    org.outputs.set(output, sized);
    return sized;
  }
}
