/**
 * Delivers due pairs: claim -> check locally -> produce dispatches -> produce TASK_SENT -> confirm. Many pairs a round trip.
 *
 *  crash after claim     the batch stays in flight; the next owner of the sensors sends the same attempt, same dispatch_id
 *  crash after produce   the same: a copy with the same dispatch_id
 *  crash after TASK_SENT the same, and TASK_SENT with the same event_id
 *  produce fails         checked again before each further try; given up, the batch is left in flight and taken up after its lease.
 *                        What is dropped meanwhile counts as sent: it may be on the log
 *  TASK_SENT fails       told again, and nothing is dispatched anew
 *
 * Between the last check and the append no check is possible: such late appends carry an old `dispatched_at`.
 */
import type { Clock } from '../clock.ts';
import { hashOf } from '../model/ids.ts';
import { backoffMs } from '../model/task.ts';
import type { RolePorts } from '../ports.ts';
import { Claims, type ClaimsOptions, type Rows } from './claims.ts';
import { Confirms } from './confirms.ts';
import { dueAt } from './dispatch.ts';
import { confirmRequest, type Due, type Flight, fitting, isHeld, nextTrip, type Pair, takenUp } from './flight.ts';
import { Pace } from './pace.ts';
import type { Seat } from './seat.ts';
import { Sender } from './sender.ts';
import { Telling } from './telling.ts';
import type { Timers } from './timers.ts';
import { Waits } from './waits.ts';

/** What was dropped directly before the produce is looked at again after this long. */
const RETRY_MS = 500;
/** A batch that was left in flight is taken up so long after the end of its lease. */
const AFTER_LEASE_MS = 50;

export type DeliverOptions = Pick<ClaimsOptions, 'onRefused' | 'onVersion'> & {
  ports: Pick<RolePorts, 'config' | 'log' | 'clock' | 'outbox' | 'projection' | 'metrics'>;
  timers: Timers;
};

type Left = { atMono: number; flight: Flight };

/** What could not be done. Pairs come again by themselves, rows have to be given again. */
export type Undone = { pairs: boolean; rows: Set<Seat> };

export class Deliver {
  readonly #ports: DeliverOptions['ports'];
  readonly #clock: Clock;
  readonly #waits: Waits;
  readonly #claims: Claims;
  readonly #pace: Pace;
  readonly #sender: Sender;
  readonly #telling: Telling;
  readonly #confirms: Confirms;
  /** Flights that were left, by the time at which they are taken up. */
  #left: Left[] = [];
  readonly #process: string;
  #sequence = 0;

  constructor({ ports, timers, onRefused, onVersion }: DeliverOptions) {
    const { clock, config, log, outbox, projection } = ports;
    this.#ports = ports;
    this.#clock = clock;
    this.#process = hashOf('process', process.pid, clock.random()).slice(0, 6);
    this.#waits = new Waits(timers);
    this.#claims = new Claims({ projection, clock, waits: this.#waits, onRefused, onVersion });
    this.#pace = new Pace(config.CLAIM_LEASE_MS);
    this.#sender = new Sender({ ports, claims: this.#claims, pace: this.#pace });
    this.#telling = new Telling(outbox, log);
    this.#confirms = new Confirms(projection, log);
  }

  /** Writes the rows, and sends what is due of `pairs`; resolves when all of it is confirmed, dropped or left in flight. */
  async deliver(pairs: readonly Due[], rows: Rows[] = []): Promise<Undone> {
    const undone: Undone = { pairs: false, rows: new Set() };
    const newBatch = (seat: Seat) => `${seat.partition}:${seat.token}:${this.#process}${++this.#sequence}`;
    let from = 0;
    let pending = rows;
    do {
      const now = this.#clock.monoMs();
      const { flights, next } = nextTrip(pairs, from, this.#pace.bytes, now, newBatch);
      this.#hold(flights);
      if (flights.length > 0 || pending.length > 0) await this.#trip(flights, pending, undone);
      pending = [];
      from = next;
    } while (from < pairs.length);
    return undone;
  }

  /** To be called often: tells again what could not be told, and takes up what was left in flight, as far as it `mayGo`. */
  async resume(mayGo: (due: Due) => boolean): Promise<void> {
    void this.#tellAgain(); // the broker may take long over it
    await this.#confirms.retry();
    const now = this.#clock.monoMs();
    // A seat that is not live claims all that is due when it is: until then its batches have to stay in flight.
    const isDue = ({ atMono, flight }: Left): boolean => atMono <= now && (flight.seat.live || !isHeld(flight));
    const { due = [], later = [] } = Object.groupBy(this.#left, (left) => (isDue(left) ? 'due' : 'later'));
    this.#left = later;
    // Of a seat that is not ours any more, the next owner takes them up.
    let open = due.flatMap(({ flight }) => (isHeld(flight) ? [takenUp(flight, now, mayGo)] : []));
    while (open.length > 0) {
      const trip = fitting(open, this.#pace.bytes);
      await this.#takeUp(trip);
      open = open.slice(trip.length);
    }
  }

  /** Under the name that they had: whatever Redis has heard of them, one batch is in flight, and one confirmation ends it. */
  async #takeUp(flights: Flight[]): Promise<void> {
    const asked = flights.map(({ pairs }) => pairs);
    this.#hold(flights);
    const { claimed, idle, unknown } = await this.#claims.ask(flights, []);
    this.#leave(unknown);
    for (const [i, flight] of flights.entries()) {
      const taken = new Set(flight.pairs);
      flight.dropped.push(...(asked[i] as Pair[]).filter((pair) => !taken.has(pair)));
    }
    await Promise.all([this.#end(idle), this.#send(claimed)]);
  }

  /** Batches of an owner before, whose pairs have been claimed anew. */
  async clear(oid: string, epoch: string, batches: string[]): Promise<void> {
    await this.#confirms.tell(batches.map((batch) => ({ oid, epoch, batch, tasks: [] })));
  }

  async #trip(flights: Flight[], rows: Rows[], undone: Undone): Promise<void> {
    const { claimed, unknown, unwritten } = await this.#claims.ask(flights, rows);
    for (const seat of unwritten) undone.rows.add(seat);
    if (unknown.length > 0) undone.pairs = true;
    this.#leave(unknown);
    await this.#send(claimed);
  }

  /** Until Redis has answered, no second claim of these pairs is sent. */
  #hold(flights: Flight[]): void {
    const leaseEnd = this.#clock.monoMs() + this.#ports.config.CLAIM_LEASE_MS;
    for (const flight of flights) for (const pair of flight.pairs) this.#waits.hold(pair, pair.tag, leaseEnd);
  }

  async #send(claimed: Flight[]): Promise<void> {
    const { sent, empty, left } = await this.#sender.send(claimed);
    this.#leave(left);
    await Promise.all([this.#end(empty), this.#afterProduce(sent)]);
  }

  async #afterProduce(flights: Flight[]): Promise<void> {
    if (flights.length === 0) return;
    const { metrics } = this.#ports;
    const nowMs = this.#clock.nowMs();
    const all = flights.flatMap((flight) => flight.pairs.map((pair) => ({ flight, pair })));
    for (const { pair } of all) if (pair.attempt === 1) metrics.dispatchLatency(nowMs - dueAt(pair));
    metrics.dispatched(all.length, all.filter(({ pair }) => pair.attempt > 1).length);
    await this.#end(flights);
  }

  /** What flights have come to is told, and then they are over. */
  async #end(flights: Flight[]): Promise<void> {
    if (flights.length === 0) return;
    const told = await this.#telling.tell(flights);
    if (told === 'told') return this.#over(flights);
    for (const flight of flights) {
      for (const pair of flight.pairs) {
        pair.perhaps = true;
        // Of a seat that was taken anew meanwhile nobody would bring the pair up again.
        if (told === 'later' && isHeld(flight)) this.#waits.hold(pair, pair.tag, Number.POSITIVE_INFINITY);
      }
    }
    if (told === 'never') this.#leave(flights);
  }

  async #tellAgain(): Promise<void> {
    await this.#over(await this.#telling.again());
  }

  async #over(flights: Flight[]): Promise<void> {
    const doneMono = this.#clock.monoMs();
    await this.#confirm(flights);
    for (const flight of flights)
      if (isHeld(flight)) for (const pair of flight.pairs) this.#awaitAnswer(flight, pair, doneMono);
  }

  #awaitAnswer(flight: Flight, pair: Pair, doneMono: number): void {
    const { config } = this.#ports;
    const pause = backoffMs(pair.attempt, config.REDELIVERY_FIRST_MS, config.REDELIVERY_MAX_MS);
    if (pair.task.doneWhenSent) this.#waits.settle(pair);
    // It has connected anew meanwhile: then the pair is due now, not after the pause of the connection before.
    else if (pair.sensor.tag !== pair.tag) this.#waits.until(pair, pair.sensor.tag, doneMono);
    else this.#waits.until(pair, pair.tag, Math.max(flight.startedMono + pause, doneMono));
  }

  async #confirm(flights: Flight[]): Promise<void> {
    await this.#confirms.tell(flights.map(confirmRequest));
    // What was dropped is looked at again soon: what it lacked may have come back meanwhile.
    const again = this.#clock.monoMs() + RETRY_MS;
    for (const pair of flights.flatMap(({ dropped }) => dropped))
      if (pair.task.waits.get(pair.sensor)?.tag === pair.tag) this.#waits.until(pair, pair.sensor.tag, again);
  }

  /** Whether these were claimed or produced is not known: after the lease the same attempts are claimed again. A seat that was
   *  lost, or taken anew, claims all that is due by itself; what it remembers since must stay. */
  #leave(flights: Flight[]): void {
    const atMono = this.#clock.monoMs() + this.#ports.config.CLAIM_LEASE_MS + AFTER_LEASE_MS;
    for (const flight of flights) {
      if (!isHeld(flight)) continue;
      for (const pair of flight.pairs) this.#waits.hold(pair, pair.tag, atMono);
      this.#left.push({ atMono, flight });
    }
  }
}
