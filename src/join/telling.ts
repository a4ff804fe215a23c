/**
 * Tells what flights have come to: TASK_SENT, and TASK_DONE where nobody answers. By then the dispatches are on the log, so
 * what the broker does not take is told again, the same events, until it is: nothing is dispatched anew for that. Bounded: of
 * too many the next ones are given up.
 */
import type { Logger } from 'pino';
import type { Outbox } from '../outbox.ts';
import { keptEvent, sentEvents } from './dispatch.ts';
import { type Flight, isKept } from './flight.ts';

/** Pairs that wait to be told. */
const OPEN_MAX = 20_000;
const FLIGHTS_PER_TRY = 50;

export class Telling {
  readonly #outbox: Pick<Outbox, 'taskEvents'>;
  readonly #log: Logger;
  #open: Flight[] = [];
  #running = false;

  constructor(outbox: Pick<Outbox, 'taskEvents'>, log: Logger) {
    this.#outbox = outbox;
    this.#log = log;
  }

  /** `later`: they come back from `again`. `never`: too many wait already. Never rejects. */
  async tell(flights: Flight[]): Promise<'told' | 'later' | 'never'> {
    if (await this.#write(flights)) return 'told';
    if (sizeOf(this.#open) + sizeOf(flights) > OPEN_MAX) return 'never';
    this.#open.push(...flights);
    return 'later';
  }

  /** One more try with some of those that wait; answers the ones that were told. Never rejects. */
  async again(): Promise<Flight[]> {
    if (this.#running || this.#open.length === 0) return [];
    this.#running = true;
    const some = this.#open.splice(0, FLIGHTS_PER_TRY);
    const isTold = await this.#write(some);
    if (!isTold) this.#open.push(...some);
    this.#running = false;
    return isTold ? some : [];
  }

  async #write(flights: Flight[]): Promise<boolean> {
    const events = flights.flatMap((flight) => [
      ...flight.pairs.flatMap((pair) => sentEvents(flight, pair)),
      ...flight.dropped.filter(isKept).map((pair) => keptEvent(flight, pair)),
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

const sizeOf = (flights: Flight[]): number =>
  flights.reduce((sum, { pairs, dropped }) => sum + pairs.length + dropped.length, 0);
