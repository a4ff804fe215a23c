/**
 * Produces the dispatches of claimed flights, one produce at a time: a second one would wait behind the first at the broker,
 * unchecked. In its turn a flight whose claim has grown old is asked for anew, then every pair is looked at in memory, and
 * from there to the produce nothing is awaited. A failed produce is checked again before each further try.
 */
import type { Outbox } from '../outbox.ts';
import type { RolePorts } from '../ports.ts';
import type { Claims } from './claims.ts';
import { dispatchOf } from './dispatch.ts';
import { bytesOf, dropUnfit, type Flight } from './flight.ts';
import type { Pace } from './pace.ts';
import { newCheckBudget } from './tasks.ts';

const PRODUCE_TRIES = 4;

export type SenderOptions = {
  ports: Pick<RolePorts, 'clock' | 'log' | 'config'> & { outbox: Pick<Outbox, 'dispatches'> };
  claims: Pick<Claims, 'again'>;
  pace: Pace;
};

/** sent: on the log · empty: every pair of it was dropped · left: whether it is on the log is not known, or it was refused. */
export type Sent = { sent: Flight[]; empty: Flight[]; left: Flight[] };

export class Sender {
  readonly #options: SenderOptions;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  async send(flights: Flight[]): Promise<Sent> {
    const result: Sent = { sent: [], empty: [], left: [] };
    let open = flights;
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
  async #try(flights: Flight[], attempt: number, result: Sent): Promise<Flight[]> {
    const { clock, config } = this.#options.ports;
    const asked = await this.#ask(flights, attempt > 1, result);
    if (asked === null) return flights.filter((flight) => !result.left.includes(flight));
    const now = clock.monoMs();
    const budget = newCheckBudget();
    for (const flight of asked) dropUnfit(flight, now, config.EXPIRY_MARGIN_MS, budget);
    const fit = asked.filter(({ pairs }) => pairs.length > 0);
    result.empty.push(...asked.filter(({ pairs }) => pairs.length === 0));
    if (fit.length === 0) return [];
    if (!(await this.#produce(fit, attempt))) return fit;
    result.sent.push(...fit);
    return [];
  }

  /** Asks anew for those that are late, or for all. null: that took so long that some are late again. */
  async #ask(flights: Flight[], all: boolean, result: Sent): Promise<Flight[] | null> {
    const good = await Promise.all(
      flights.map((flight) => (!all && !this.#isLate(flight)) || this.#options.claims.again(flight)),
    );
    const asked = flights.filter((_, i) => good[i]);
    result.left.push(...flights.filter((_, i) => !good[i]));
    return asked.some((flight) => this.#isLate(flight)) ? null : asked;
  }

  #isLate({ startedMono }: Flight): boolean {
    return this.#options.pace.isLate(this.#options.ports.clock.monoMs() - startedMono);
  }

  async #produce(flights: Flight[], attempt: number): Promise<boolean> {
    const { clock, log, outbox } = this.#options.ports;
    const startedMono = clock.monoMs();
    try {
      await outbox.dispatches(flights.flatMap((flight) => flight.pairs.map((pair) => dispatchOf(flight, pair))));
      return true;
    } catch (error) {
      for (const { pairs } of flights) for (const pair of pairs) pair.perhaps = true;
      log.warn({ err: error, attempt }, 'dispatches were not taken; they are checked again');
      return false;
    } finally {
      const bytes = flights.flatMap(({ pairs }) => pairs).reduce((sum, pair) => sum + bytesOf(pair), 0);
      this.#options.pace.took(clock.monoMs() - startedMono, bytes);
    }
  }
}
