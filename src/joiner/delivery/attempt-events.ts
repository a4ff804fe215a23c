/**
 * Tells what flights have come to: TASK_SENT, and TASK_DONE where nobody answers. By then the dispatches are on the log, so
 * what the broker does not take is told again, the same events, until it is: nothing is dispatched anew for that. Bounded: of
 * too many the next ones are given up.
 */
import type { Logger } from 'pino';
import type { Outbox } from '../../ports.ts';
import { type ClaimBatch, isKept } from './claim-batch.ts';
import { keptEvent, sentEvents } from './dispatch.ts';

/** Pairs that wait to be told. */
const OPEN_MAX = 20_000;
const CLAIM_BATCHES_PER_TRY = 50;

export class AttemptEvents {
  readonly #outbox: Pick<Outbox, 'taskEvents'>;
  readonly #log: Logger;
  #open: ClaimBatch[] = [];
  #running = false;

  constructor(outbox: Pick<Outbox, 'taskEvents'>, log: Logger) {
    this.#outbox = outbox;
    this.#log = log;
  }

  /** `later`: they come back from `again`. `never`: too many wait already. Never rejects. */
  async tell(claimBatches: ClaimBatch[]): Promise<'told' | 'later' | 'never'> {
    if (await this.#write(claimBatches)) return 'told';
    if (sizeOf(this.#open) + sizeOf(claimBatches) > OPEN_MAX) return 'never';
    this.#open.push(...claimBatches);
    return 'later';
  }

  /** One more try with some of those that wait; answers the ones that were told. Never rejects. */
  async again(): Promise<ClaimBatch[]> {
    if (this.#running || this.#open.length === 0) return [];
    this.#running = true;
    const some = this.#open.splice(0, CLAIM_BATCHES_PER_TRY);
    const isTold = await this.#write(some);
    if (!isTold) this.#open.push(...some);
    this.#running = false;
    return isTold ? some : [];
  }

  async #write(claimBatches: ClaimBatch[]): Promise<boolean> {
    const events = claimBatches.flatMap((claimBatch) => [
      ...claimBatch.deliveries.flatMap((delivery) => sentEvents(claimBatch, delivery)),
      ...claimBatch.dropped.filter(isKept).map((delivery) => keptEvent(claimBatch, delivery)),
    ]);
    if (events.length === 0) return true;
    try {
      await this.#outbox.taskEvents(events);
      return true;
    } catch (error) {
      this.#log.warn({ err: error, events: events.length }, 'TASK_SENT was not taken; it is told again');
      return false;
    }
  }
}

const sizeOf = (claimBatches: ClaimBatch[]): number =>
  claimBatches.reduce((sum, { deliveries, dropped }) => sum + deliveries.length + dropped.length, 0);
