/**
 * Produces the dispatches of claimed flights, one produce at a time: a second one would wait behind the first at the broker,
 * unchecked. In its turn a flight whose claim has grown old is asked for anew, then every pair is looked at in memory, and
 * from there to the produce nothing is awaited. A failed produce is checked again before each further try.
 */
import type { Outbox, RolePorts } from '../../ports.ts';
import { newCheckBudget } from '../pending-tasks.ts';
import type { Claim } from './claim.ts';
import { bytesOf, type ClaimBatch, dropUnfit } from './claim-batch.ts';
import { dispatchOf } from './dispatch.ts';
import type { ProduceWindow } from './produce-window.ts';

const PRODUCE_TRIES = 4;

export type SenderOptions = {
  ports: Pick<RolePorts, 'clock' | 'log' | 'config'> & { outbox: Pick<Outbox, 'dispatches'> };
  claims: Pick<Claim, 'again'>;
  produceWindow: ProduceWindow;
};

/** sent: on the log · empty: every pair of it was dropped · left: whether it is on the log is not known, or it was refused. */
export type Sent = { sent: ClaimBatch[]; empty: ClaimBatch[]; left: ClaimBatch[] };

export class Produce {
  readonly #options: SenderOptions;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  async send(claimBatches: ClaimBatch[]): Promise<Sent> {
    const result: Sent = { sent: [], empty: [], left: [] };
    let open = claimBatches;
    for (let attempt = 1; open.length > 0 && attempt <= PRODUCE_TRIES; attempt += 1)
      open = await this.#inTurn(() => this.#try(open, attempt, result));
    result.left.push(...open);
    return result;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  /** Answers what has to be tried again. */
  async #try(claimBatches: ClaimBatch[], attempt: number, result: Sent): Promise<ClaimBatch[]> {
    const { clock, config } = this.#options.ports;
    const asked = await this.#ask(claimBatches, attempt > 1, result);
    if (asked === null) return claimBatches.filter((claimBatch) => !result.left.includes(claimBatch));
    const now = clock.monoMs();
    const budget = newCheckBudget();
    for (const claimBatch of asked) dropUnfit(claimBatch, now, config.EXPIRY_MARGIN_MS, budget);
    const fit = asked.filter(({ deliveries }) => deliveries.length > 0);
    result.empty.push(...asked.filter(({ deliveries }) => deliveries.length === 0));
    if (fit.length === 0) return [];
    if (!(await this.#produce(fit, attempt))) return fit;
    result.sent.push(...fit);
    return [];
  }

  /** Asks anew for those that are late, or for all. null: that took so long that some are late again. */
  async #ask(claimBatches: ClaimBatch[], all: boolean, result: Sent): Promise<ClaimBatch[] | null> {
    const good = await Promise.all(
      claimBatches.map((claimBatch) => (!all && !this.#isLate(claimBatch)) || this.#options.claims.again(claimBatch)),
    );
    const asked = claimBatches.filter((_, i) => good[i]);
    result.left.push(...claimBatches.filter((_, i) => !good[i]));
    return asked.some((claimBatch) => this.#isLate(claimBatch)) ? null : asked;
  }

  #isLate({ startedMono }: ClaimBatch): boolean {
    return this.#options.produceWindow.isLate(this.#options.ports.clock.monoMs() - startedMono);
  }

  async #produce(claimBatches: ClaimBatch[], attempt: number): Promise<boolean> {
    const { clock, log, outbox } = this.#options.ports;
    const startedMono = clock.monoMs();
    try {
      await outbox.dispatches(
        claimBatches.flatMap((claimBatch) => claimBatch.deliveries.map((delivery) => dispatchOf(claimBatch, delivery))),
      );
      return true;
    } catch (error) {
      for (const { deliveries } of claimBatches) for (const delivery of deliveries) delivery.maybeSent = true;
      log.warn({ err: error, attempt }, 'dispatches were not taken; they are checked again');
      return false;
    } finally {
      const bytes = claimBatches
        .flatMap(({ deliveries }) => deliveries)
        .reduce((sum, delivery) => sum + bytesOf(delivery), 0);
      this.#options.produceWindow.took(clock.monoMs() - startedMono, bytes);
    }
  }
}
