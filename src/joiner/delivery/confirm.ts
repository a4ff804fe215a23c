/**
 * Confirms claim batches: Redis learns what became of them and removes their lease. A confirmation that Redis does not answer is
 * repeated until it does. Without it the batch stays in flight, and the next owner sends its attempts once more. The number of
 * waiting confirmations is limited: above the limit the oldest are dropped, which costs copies of their dispatches.
 */
import type { Logger } from 'pino';
import type { ConfirmRequest, Projection } from '../../projector/projection.ts';

const WAITING_MAX = 10_000;
const PER_PIPELINE = 100;

export class Confirm {
  readonly #projection: Pick<Projection, 'confirm'>;
  readonly #log: Logger;
  #waiting: ConfirmRequest[] = [];
  #running = false;

  constructor(projection: Pick<Projection, 'confirm'>, log: Logger) {
    this.#projection = projection;
    this.#log = log;
  }

  /** Resolves when Redis has answered or is away; `retry` repeats the unanswered requests. Never rejects. */
  async send(requests: ConfirmRequest[]): Promise<void> {
    if (requests.length === 0) return;
    const unanswered = await this.#send(requests);
    if (unanswered.length === 0) return;
    this.#log.warn({ claimBatches: unanswered.length }, 'claim batches not confirmed, Redis is away: retrying');
    this.#keep(unanswered);
  }

  /** Sends one pipeline of waiting confirmations. Never rejects. */
  async retry(): Promise<void> {
    if (this.#running || this.#waiting.length === 0) return;
    this.#running = true;
    const unanswered = await this.#send(this.#waiting.splice(0, PER_PIPELINE));
    this.#running = false;
    this.#keep(unanswered);
  }

  #keep(requests: ConfirmRequest[]): void {
    this.#waiting.push(...requests);
    if (this.#waiting.length > WAITING_MAX) this.#waiting.splice(0, this.#waiting.length - WAITING_MAX);
  }

  /** Returns the requests without an answer. A refusal is an answer: Redis has lost the org and with it the claim batch. */
  async #send(requests: ConfirmRequest[]): Promise<ConfirmRequest[]> {
    const answers = await this.#projection.confirm(requests).catch(() => null);
    return requests.filter((_, i) => {
      const answer = answers?.[i];
      return answer === undefined || (!answer.ok && answer.why === 'away');
    });
  }
}
