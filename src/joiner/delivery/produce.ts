/**
 * Produces the dispatches of claimed batches, one produce at a time: a second one would wait behind the first at the broker, after
 * its last check.
 *
 * Each try runs these steps: check claims that have grown old again in Redis, check every claim in memory, produce. Nothing is
 * awaited between the check in memory and the produce. After a failed produce all claims are checked again.
 */
import type { Outbox, RolePorts } from '../../ports.ts';
import { newCheckBudget } from '../org-tasks.ts';
import type { Claims } from './claim.ts';
import { bytesOf, type ClaimBatch, dropUnfit } from './claim-batch.ts';
import { dispatchOf } from './dispatch.ts';
import type { ProduceWindow } from './produce-window.ts';

const PRODUCE_TRIES = 4;

type ProducerOptions = {
  ports: Pick<RolePorts, 'clock' | 'log' | 'config'> & { outbox: Pick<Outbox, 'dispatches'> };
  claims: Pick<Claims, 'recheck'>;
  window: ProduceWindow;
};

/** sent: on the log · empty: every claim was dropped · unknown: it may be on the log, or Redis refused the check. */
export type Produced = { sent: ClaimBatch[]; empty: ClaimBatch[]; unknown: ClaimBatch[] };

export class DispatchProducer {
  readonly #options: ProducerOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ProducerOptions) {
    this.#options = options;
  }

  async send(claimBatches: ClaimBatch[]): Promise<Produced> {
    const result: Produced = { sent: [], empty: [], unknown: [] };
    let open = claimBatches;
    for (let attempt = 1; open.length > 0 && attempt <= PRODUCE_TRIES; attempt += 1)
      open = await this.#oneAtATime(() => this.#try(open, attempt, result));
    result.unknown.push(...open);
    return result;
  }

  #oneAtATime<T>(work: () => Promise<T>): Promise<T> {
    const running = this.#last.then(work);
    this.#last = running.catch(() => undefined);
    return running;
  }

  /** Returns the claim batches that need another try. */
  async #try(claimBatches: ClaimBatch[], attempt: number, result: Produced): Promise<ClaimBatch[]> {
    const { clock, config } = this.#options.ports;
    const checked = await this.#recheck(claimBatches, attempt > 1, result);
    if (checked === null) return claimBatches.filter((claimBatch) => !result.unknown.includes(claimBatch));
    const now = clock.monoMs();
    const budget = newCheckBudget();
    for (const claimBatch of checked) dropUnfit(claimBatch, now, config.EXPIRY_MARGIN_MS, budget);
    const fit = checked.filter(({ claims }) => claims.length > 0);
    result.empty.push(...checked.filter(({ claims }) => claims.length === 0));
    if (fit.length === 0) return [];
    if (!(await this.#produce(fit, attempt))) return fit;
    result.sent.push(...fit);
    return [];
  }

  /** Checks the late claim batches, or all of them, again in Redis. null: it took so long that some are late again. */
  async #recheck(claimBatches: ClaimBatch[], all: boolean, result: Produced): Promise<ClaimBatch[] | null> {
    const good = await Promise.all(
      claimBatches.map((claimBatch) => (!all && !this.#isLate(claimBatch)) || this.#options.claims.recheck(claimBatch)),
    );
    const checked = claimBatches.filter((_, i) => good[i]);
    result.unknown.push(...claimBatches.filter((_, i) => !good[i]));
    return checked.some((claimBatch) => this.#isLate(claimBatch)) ? null : checked;
  }

  #isLate({ startedMono }: ClaimBatch): boolean {
    return this.#options.window.isLate(this.#options.ports.clock.monoMs() - startedMono);
  }

  async #produce(claimBatches: ClaimBatch[], attempt: number): Promise<boolean> {
    const { clock, log, outbox } = this.#options.ports;
    const startedMono = clock.monoMs();
    try {
      await outbox.dispatches(
        claimBatches.flatMap((claimBatch) => claimBatch.claims.map((claim) => dispatchOf(claimBatch, claim))),
      );
      return true;
    } catch (error) {
      for (const { claims } of claimBatches) for (const claim of claims) claim.maybeSent = true;
      log.warn({ err: error, try: attempt }, 'dispatches not produced: checking their claims again');
      return false;
    } finally {
      const bytes = claimBatches.flatMap(({ claims }) => claims).reduce((sum, claim) => sum + bytesOf(claim), 0);
      this.#options.window.took(clock.monoMs() - startedMono, bytes);
    }
  }
}
