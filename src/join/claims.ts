/** Asks Redis for the right to send, pair by pair, and remembers what it answers. */
import type { Clock } from '../clock.ts';
import type { Answer, ClaimAnswer, ClaimRequest, ClaimWord, Projection, SensorRows, Why } from '../projection/store.ts';
import { claimRequest, type Flight, type Pair, recheckRequest } from './flight.ts';
import { restoreRows, rowsTaken, type Seat } from './seat.ts';
import type { Waits } from './waits.ts';

export type Rows = { seat: Seat; request: SensorRows };

export type ClaimsOptions = {
  projection: Pick<Projection, 'claim' | 'recheck'>;
  clock: Clock;
  waits: Waits;
  /** The seat was refused: it is lost, fenced, or of an earlier epoch. */
  onRefused(seat: Seat, why: Why): void;
  /** A script answered a version of the tasks that is newer than ours. */
  onVersion(oid: string, version: number): void;
};

export class Claims {
  readonly #options: ClaimsOptions;

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  /**
   * One trip: the rows first, then the claims. `claimed` flights keep only the pairs to send, `idle` ones have none. Of
   * `unknown` ones Redis did not say whether it has taken them. Rows that were not written are dirty again; `unwritten` names seats that can try anew.
   */
  async ask(
    flights: Flight[],
    rows: Rows[],
  ): Promise<{ claimed: Flight[]; idle: Flight[]; unknown: Flight[]; unwritten: Set<Seat> }> {
    const requests = flights.map(claimRequest);
    const startedMono = this.#options.clock.monoMs();
    const answers = await this.#options.projection.claim(
      rows.map(({ request }) => request),
      requests,
    );
    const unwritten = new Set<Seat>();
    for (const [i, { seat, request }] of rows.entries()) {
      const answer = answers.rows[i] as Answer<object>;
      if (answer.ok) {
        rowsTaken(seat);
        continue;
      }
      restoreRows(seat, request);
      if (answer.why === 'away') unwritten.add(seat);
      else this.#refused(seat, request.token, answer.why);
    }
    const found = { claimed: [] as Flight[], idle: [] as Flight[], unknown: [] as Flight[], unwritten };
    for (const [i, flight] of flights.entries()) {
      const answer = answers.claims[i] as ClaimAnswer;
      if (answer.ok) {
        const some = this.#take(flight, requests[i] as ClaimRequest, answer, startedMono);
        found[some ? 'claimed' : 'idle'].push(flight);
      } else if (answer.why === 'away') {
        found.unknown.push(flight);
      } else {
        this.#options.waits.forget(flight.pairs);
        this.#refused(flight.seat, flight.token, answer.why);
      }
    }
    return found;
  }

  /** Asks anew for what is late, and drops what may not be sent any more. False: refused, or not known. The batch then stays in
   *  flight for whoever owns the sensors next. */
  async again(flight: Flight): Promise<boolean> {
    const { request, byTask } = recheckRequest(flight);
    const startedMono = this.#options.clock.monoMs();
    const answer = await this.#options.projection.recheck(request).catch(() => null);
    if (answer === null) return false;
    if (!answer.ok) {
      if (answer.why !== 'away') this.#refused(flight.seat, flight.token, answer.why);
      return false;
    }
    const kept = new Set(byTask.flatMap((pairs, t) => pairs.filter((_, p) => answer.kept[t]?.[p])));
    flight.dropped.push(...flight.pairs.filter((pair) => !kept.has(pair)));
    flight.pairs = [...kept];
    flight.startedMono = startedMono;
    flight.nowMs = answer.nowMs;
    return true;
  }

  /** Reads the words of a claim; answers whether anything is to be sent. */
  #take(flight: Flight, request: ClaimRequest, answer: ClaimAnswer & { ok: true }, startedMono: number): boolean {
    this.#options.onVersion(flight.seat.oid, answer.version);
    flight.startedMono = startedMono;
    flight.nowMs = answer.nowMs;
    const byKey = new Map(flight.pairs.map((pair) => [`${pair.task.taskId} ${pair.sensor.sid}`, pair]));
    const claimed: Pair[] = [];
    for (const [t, { taskId, pairs }] of request.tasks.entries()) {
      for (const [p, { sid }] of pairs.entries()) {
        const pair = byKey.get(`${taskId} ${sid}`) as Pair;
        if (this.#hear(pair, answer.words[t]?.[p] ?? { word: 'gone' }, flight)) claimed.push(pair);
      }
    }
    flight.pairs = claimed;
    return claimed.length > 0;
  }

  #hear(pair: Pair, word: ClaimWord, flight: Flight): boolean {
    const { waits } = this.#options;
    switch (word.word) {
      case 'claimed':
        pair.perhaps = word.again === true || (pair.perhaps && pair.attempt === word.attempt);
        pair.attempt = word.attempt;
        return true;
      case 'wait':
        waits.until(pair, pair.tag, flight.startedMono + Math.max(word.untilMs - flight.nowMs, 1));
        return false;
      case 'settled':
        waits.settle(pair);
        return false;
      case 'gone':
        waits.forget([pair]);
        return false;
    }
  }

  /** A refusal of an earlier token says nothing about the seat: it was taken anew since. */
  #refused(seat: Seat, token: string, why: Why): void {
    if (seat.token === token) this.#options.onRefused(seat, why);
  }
}
