/**
 * Writes the attempt events of claim batches: TASK_SENT, and TASK_DONE for deliveries that are done when sent. The dispatches are
 * on the log by then, so events that Kafka does not take are written again, the same ones, until it takes them. No dispatch is
 * repeated for them. The number of waiting deliveries is limited; claim batches above the limit are refused.
 */
import type { Logger } from 'pino';
import type { Outbox } from '../../ports.ts';
import { type ClaimBatch, isKept } from './claim-batch.ts';
import { keptEvent, sentEvents } from './dispatch.ts';

/** Deliveries that wait for their events. */
const WAITING_MAX = 20_000;
const CLAIM_BATCHES_PER_TRY = 50;

export class AttemptEvents {
  readonly #outbox: Pick<Outbox, 'taskEvents'>;
  readonly #log: Logger;
  #waiting: ClaimBatch[] = [];
  #running = false;

  constructor(outbox: Pick<Outbox, 'taskEvents'>, log: Logger) {
    this.#outbox = outbox;
    this.#log = log;
  }

  /** `waiting`: `retry` writes them later and returns them. `refused`: too many are waiting. Never rejects. */
  async write(claimBatches: ClaimBatch[]): Promise<'written' | 'waiting' | 'refused'> {
    if (await this.#write(claimBatches)) return 'written';
    if (sizeOf(this.#waiting) + sizeOf(claimBatches) > WAITING_MAX) return 'refused';
    this.#waiting.push(...claimBatches);
    return 'waiting';
  }

  /** Tries some of the waiting claim batches again. Returns those whose events are written now. Never rejects. */
  async retry(): Promise<ClaimBatch[]> {
    if (this.#running || this.#waiting.length === 0) return [];
    this.#running = true;
    const some = this.#waiting.splice(0, CLAIM_BATCHES_PER_TRY);
    const isWritten = await this.#write(some);
    if (!isWritten) this.#waiting.push(...some);
    this.#running = false;
    return isWritten ? some : [];
  }

  async #write(claimBatches: ClaimBatch[]): Promise<boolean> {
    const events = claimBatches.flatMap((claimBatch) => [
      ...claimBatch.claims.flatMap((claim) => sentEvents(claimBatch, claim)),
      ...claimBatch.dropped.filter(isKept).map((claim) => keptEvent(claimBatch, claim)),
    ]);
    if (events.length === 0) return true;
    try {
      await this.#outbox.taskEvents(events);
      return true;
    } catch (error) {
      this.#log.warn({ err: error, events: events.length }, 'attempt events not written: retrying');
      return false;
    }
  }
}

const sizeOf = (claimBatches: ClaimBatch[]): number =>
  claimBatches.reduce((sum, { claims, dropped }) => sum + claims.length + dropped.length, 0);
