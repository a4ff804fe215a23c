/**
 * Tells Redis that batches are over. What could not be told is told again until it is: the dispatches are on the log, and a
 * batch that stays in flight would be sent once more by the next owner. Bounded: of too many the oldest is given up, which
 * costs a copy.
 */
import type { Logger } from 'pino';
import type { ConfirmRequest, Projection } from '../../projector/projection.ts';

const OPEN_MAX = 10_000;
const PER_PIPELINE = 100;

export class Confirm {
  readonly #projection: Pick<Projection, 'confirm'>;
  readonly #log: Logger;
  #open: ConfirmRequest[] = [];
  #running = false;

  constructor(projection: Pick<Projection, 'confirm'>, log: Logger) {
    this.#projection = projection;
    this.#log = log;
  }

  /** How many are still to be told. */
  get open(): number {
    return this.#open.length;
  }

  /** Resolves when Redis has heard, or was away: then they are told again by `retry`. Never rejects. */
  async tell(requests: ConfirmRequest[]): Promise<void> {
    if (requests.length === 0) return;
    const untold = await this.#tell(requests);
    if (untold.length === 0) return;
    this.#log.warn({ batches: untold.length }, 'claims could not be confirmed; they are told again');
    this.#keep(untold);
  }

  /** One more trip with what could not be told. Never rejects. */
  async retry(): Promise<void> {
    if (this.#running || this.#open.length === 0) return;
    this.#running = true;
    const untold = await this.#tell(this.#open.splice(0, PER_PIPELINE));
    this.#running = false;
    this.#keep(untold);
  }

  #keep(requests: ConfirmRequest[]): void {
    this.#open.push(...requests);
    if (this.#open.length > OPEN_MAX) this.#open.splice(0, this.#open.length - OPEN_MAX);
  }

  /** A refusal ends the matter: the org was lost, and its batches with it. */
  async #tell(requests: ConfirmRequest[]): Promise<ConfirmRequest[]> {
    const answers = await this.#projection.confirm(requests).catch(() => null);
    return requests.filter((_, i) => {
      const answer = answers?.[i];
      return answer === undefined || (!answer.ok && answer.why === 'away');
    });
  }
}
