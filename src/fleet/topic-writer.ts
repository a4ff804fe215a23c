/**
 * Collects records for one topic into batches. Guarantees: the order is kept; one request is in flight at a time; a failed batch
 * is retried until it succeeds or the writer is closed. `room` is the back-pressure: a source that awaits it queues at most
 * `QUEUE_MAX` records and one batch.
 */
import { setTimeout as sleep } from 'node:timers/promises';

export type FleetRecord = { key: string; value: Buffer };

type Waiting = FleetRecord & { sent: () => void };

const BATCH_MAX = 2_000;
const QUEUE_MAX = 20_000;
const GATHER_MS = 3;
const RETRY_MS = 500;

export class TopicWriter {
  readonly #send: (records: FleetRecord[]) => Promise<unknown>;
  readonly #onFailure: (error: unknown) => void;
  readonly #queue: Waiting[] = [];
  #pump: Promise<void> | undefined;
  #closed = false;

  constructor(send: (records: FleetRecord[]) => Promise<unknown>, onFailure: (error: unknown) => void) {
    this.#send = send;
    this.#onFailure = onFailure;
  }

  /** Resolves when the record is on the log. Never resolves if the writer is closed first. */
  put(record: FleetRecord): Promise<void> {
    const done = new Promise<void>((resolve) => this.#queue.push({ ...record, sent: resolve }));
    this.#pump ??= this.#run().finally(() => {
      this.#pump = undefined;
    });
    return done;
  }

  /** Resolves when the queue is within its bound. */
  async room(): Promise<void> {
    while (this.#queue.length > QUEUE_MAX && !this.#closed) await sleep(GATHER_MS);
  }

  /** Sends queued records for at most `withinMs`, then drops the rest. Safe twice. */
  async close(withinMs: number): Promise<void> {
    const pump = this.#pump;
    if (pump) await Promise.race([pump, sleep(withinMs, undefined, { ref: false })]);
    this.#closed = true;
  }

  async #run(): Promise<void> {
    await sleep(GATHER_MS);
    while (this.#queue.length > 0 && !this.#closed) {
      const batch = this.#queue.slice(0, BATCH_MAX);
      try {
        await this.#send(batch.map(({ key, value }) => ({ key, value })));
        this.#queue.splice(0, batch.length);
        for (const { sent } of batch) sent();
      } catch (error) {
        this.#onFailure(error);
        await sleep(RETRY_MS);
      }
    }
  }
}
