/**
 * Delivers due pairs: claim -> check locally -> produce dispatches -> produce TASK_SENT -> confirm. Many pairs a round trip.
 *
 *  crash after claim     the batch stays in flight; the next owner of the sensors sends the same attempt, same dispatch_id
 *  crash after produce   the same: a copy with the same dispatch_id
 *  crash after TASK_SENT the same, and TASK_SENT with the same event_id
 *  produce fails         checked again before each further try; given up, the batch stays in flight and is taken up later
 *
 * Between the last check and the append no check is possible: such late appends carry an old `dispatched_at`.
 */
import type { Clock } from '../clock.ts';
import { dispatchId, eventId, hashOf } from '../model/ids.ts';
import type { TaskDispatch, TaskEvent } from '../model/records.ts';
import { backoffMs } from '../model/task.ts';
import type { EpochEvent } from '../outbox.ts';
import type { RolePorts } from '../ports.ts';
import type { Answer, ClaimAnswer, ClaimRequest, ClaimWord, SensorRows } from '../projection/store.ts';
import type { Seat, Sensor } from './seat.ts';
import { mayBeDue, SETTLED, type Task } from './tasks.ts';
import type { Timers } from './timers.ts';

export type Due = { sensor: Sensor; task: Task };

/** Pairs in one script: it must not hold Redis for more than a few milliseconds. */
const PAIRS_PER_SCRIPT = 500;
/** Scripts in one trip: what is claimed must be produced well within the lease. */
const SCRIPTS_PER_TRIP = 8;
/** The share of a lease after which a claim is checked again before the produce. */
const LEASE_SHARE = 0.6;
const PRODUCE_TRIES = 4;
/** Pairs that could not be claimed because Redis was away come again after this long. */
const RETRY_MS = 500;

/** One batch of claims of one seat. Times are monotonic ms; `nowMs` is the clock of Redis at the claim. */
type Flight = {
  seat: Seat;
  batch: string;
  epoch: string;
  token: string;
  pairs: Pair[];
  startedMono: number;
  nowMs: number;
};
type Pair = Due & { tag: string; attempt: number; connectionId: string };

export type DeliverOptions = {
  ports: Pick<RolePorts, 'config' | 'log' | 'clock' | 'outbox' | 'projection' | 'metrics'>;
  timers: Timers;
  /** The seat was refused: it is lost, fenced, or of an earlier epoch. */
  onRefused(seat: Seat, why: 'lost' | 'not_ready' | 'fenced' | 'epoch'): void;
  /** A script answered a version of the tasks that is newer than ours. */
  onVersion(oid: string, version: number): void;
};

export class Deliver {
  readonly #options: DeliverOptions;
  readonly #clock: Clock;
  readonly #process: string;
  #sequence = 0;

  constructor(options: DeliverOptions) {
    this.#options = options;
    this.#clock = options.ports.clock;
    this.#process = hashOf('process', process.pid, this.#clock.random()).slice(0, 6);
  }

  /** Writes the rows, and sends what is due of `pairs`; resolves when all of it is confirmed, dropped or left in flight.
   *  Rejects with `unavailable` when Redis can't be asked: rows have to be given again, pairs come again by themselves. */
  async deliver(pairs: Due[], rows: { seat: Seat; request: SensorRows }[] = []): Promise<void> {
    const flights = this.#flightsOf(pairs);
    let pendingRows = rows;
    for (let i = 0; i < flights.length || pendingRows.length > 0; i += SCRIPTS_PER_TRIP) {
      try {
        await this.#trip(flights.slice(i, i + SCRIPTS_PER_TRIP), pendingRows);
      } catch (error) {
        const again = this.#clock.monoMs() + RETRY_MS;
        for (const { pairs: left } of flights.slice(i)) for (const pair of left) this.#waitUntil(pair, pair.tag, again);
        throw error;
      }
      pendingRows = [];
    }
  }

  #flightsOf(pairs: Due[]): Flight[] {
    const now = this.#clock.monoMs();
    const leaseEnd = now + this.#options.ports.config.CLAIM_LEASE_MS;
    const flights: Flight[] = [];
    const open = new Map<Seat, Flight>();
    for (const { sensor, task } of pairs) {
      const { seat } = sensor;
      if (!seat.live || seat.token === null || !sensor.online || task.gone || !mayBeDue(task, sensor, now)) continue;
      // Until Redis has answered, no second claim of this pair is sent.
      task.waits.set(sensor, { tag: sensor.tag, untilMono: leaseEnd });
      let flight = open.get(seat);
      if (!flight || flight.pairs.length >= PAIRS_PER_SCRIPT) {
        const batch = `${seat.partition}:${seat.token}:${this.#process}${++this.#sequence}`;
        flight = { seat, batch, epoch: seat.epoch, token: seat.token, pairs: [], startedMono: 0, nowMs: 0 };
        open.set(seat, flight);
        flights.push(flight);
      }
      flight.pairs.push({ sensor, task, tag: sensor.tag, attempt: 0, connectionId: sensor.connectionId ?? '' });
    }
    return flights;
  }

  async #trip(flights: Flight[], rows: { seat: Seat; request: SensorRows }[]): Promise<void> {
    const { projection } = this.#options.ports;
    const requests = flights.map(claimRequest);
    const startedMono = this.#clock.monoMs();
    const answers = await projection.claim(
      rows.map(({ request }) => request),
      requests,
    );
    for (const [i, { seat }] of rows.entries()) this.#notice(seat, answers.rows[i] as Answer<object>);
    const claimed = flights.filter((flight, i) =>
      this.#take(flight, requests[i] as ClaimRequest, answers.claims[i] as ClaimAnswer, startedMono),
    );
    await this.#send(claimed);
  }

  /** Reads the words of a claim; answers whether anything is to be sent. */
  #take(flight: Flight, request: ClaimRequest, answer: ClaimAnswer, startedMono: number): boolean {
    if (!this.#notice(flight.seat, answer) || !answer.ok) {
      this.#forget(flight.pairs);
      return false;
    }
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
    const { task, sensor, tag } = pair;
    switch (word.word) {
      case 'claimed':
        pair.attempt = word.attempt;
        return true;
      case 'wait':
        this.#waitUntil(pair, tag, flight.startedMono + Math.max(word.untilMs - flight.nowMs, 1));
        return false;
      case 'settled':
        task.waits.set(sensor, SETTLED);
        return false;
      case 'gone':
        task.waits.delete(sensor);
        return false;
    }
  }

  #waitUntil({ task, sensor }: Due, tag: string, untilMono: number): void {
    if (task.gone) return;
    task.waits.set(sensor, { tag, untilMono });
    this.#options.timers.push({ atMono: untilMono, sensor, task });
  }

  #forget(pairs: Pair[]): void {
    for (const { task, sensor } of pairs) task.waits.delete(sensor);
  }

  #notice(seat: Seat, answer: Answer<object>): boolean {
    if (answer.ok) return true;
    this.#options.onRefused(seat, answer.why);
    return false;
  }

  async #send(flights: Flight[]): Promise<void> {
    let open = flights;
    const dropped = new Map<Flight, Pair[]>(flights.map((flight) => [flight, []]));
    for (let attempt = 1; open.length > 0 && attempt <= PRODUCE_TRIES; attempt += 1) {
      const asked: Flight[] = [];
      for (const flight of open) {
        if ((attempt === 1 && !this.#isLate(flight)) || (await this.#recheck(flight))) asked.push(flight);
      }
      open = asked;
      // Asking took time: what is late by now is asked again. From here to the produce nothing is awaited.
      if (asked.some((flight) => this.#isLate(flight))) continue;
      const [fit, empty] = this.#split(asked, dropped);
      const produced = fit.length > 0 ? this.#produce(fit, attempt) : Promise.resolve(true);
      if (empty.length > 0) await this.#confirm(empty, dropped);
      open = fit;
      if (!(await produced)) continue;
      if (fit.length > 0) await this.#afterProduce(fit, dropped);
      return;
    }
    for (const flight of open) this.#leaveInFlight(flight);
  }

  #isLate(flight: Flight): boolean {
    return this.#clock.monoMs() - flight.startedMono > this.#options.ports.config.CLAIM_LEASE_MS * LEASE_SHARE;
  }

  async #produce(flights: Flight[], attempt: number): Promise<boolean> {
    try {
      const dispatches = flights.flatMap((flight) => flight.pairs.map((pair) => dispatchOf(flight, pair)));
      await this.#options.ports.outbox.dispatches(dispatches);
      return true;
    } catch (error) {
      this.#options.ports.log.warn({ err: error, attempt }, 'dispatches were not taken; they are checked again');
      return false;
    }
  }

  /** The last check before the append. What fails it is dropped, and told to Redis by `confirm`. Flights without pairs apart. */
  #split(flights: Flight[], dropped: Map<Flight, Pair[]>): [Flight[], Flight[]] {
    for (const flight of flights) {
      const { keep = [], drop = [] } = Object.groupBy(flight.pairs, (pair) =>
        this.#fits(flight, pair) ? 'keep' : 'drop',
      );
      flight.pairs = keep;
      dropped.get(flight)?.push(...drop);
    }
    return [flights.filter(({ pairs }) => pairs.length > 0), flights.filter(({ pairs }) => pairs.length === 0)];
  }

  #fits({ seat, token, epoch, nowMs, startedMono }: Flight, { task, sensor, tag }: Pair): boolean {
    const now = nowMs + this.#clock.monoMs() - startedMono;
    return (
      seat.live &&
      seat.token === token &&
      seat.epoch === epoch &&
      !task.gone &&
      sensor.online &&
      sensor.tag === tag &&
      seat.sensors.get(sensor.sid) === sensor &&
      task.predicate(sensor.record) === true &&
      task.expiresAtMs - now > this.#options.ports.config.EXPIRY_MARGIN_MS
    );
  }

  /** Asks Redis anew; on a refusal the batch stays in flight for whoever owns the sensors next. */
  async #recheck(flight: Flight): Promise<boolean> {
    const { seat, batch, epoch, token } = flight;
    const byTask = [...Map.groupBy(flight.pairs, ({ task }) => task.taskId)];
    const startedMono = this.#clock.monoMs();
    const answer = await this.#options.ports.projection
      .recheck({
        oid: seat.oid,
        epoch,
        partition: seat.partition,
        token,
        batch,
        tasks: byTask.map(([taskId, pairs]) => ({ taskId, sids: pairs.map(({ sensor }) => sensor.sid) })),
      })
      .catch(() => null);
    if (answer === null || !this.#notice(seat, answer) || !answer.ok) {
      this.#leaveInFlight(flight);
      return false;
    }
    flight.pairs = byTask.flatMap(([, pairs], t) => pairs.filter((_, p) => answer.kept[t]?.[p]));
    flight.startedMono = startedMono;
    flight.nowMs = answer.nowMs;
    return true;
  }

  async #afterProduce(flights: Flight[], dropped: Map<Flight, Pair[]>): Promise<void> {
    const { outbox, metrics, config } = this.#options.ports;
    const doneMono = this.#clock.monoMs();
    const nowMs = this.#clock.nowMs();
    const all = flights.flatMap((flight) => flight.pairs.map((pair) => ({ flight, pair })));
    for (const { pair } of all) if (pair.attempt === 1) metrics.dispatchLatency(nowMs - dueAt(pair));
    metrics.dispatched(all.length, all.filter(({ pair }) => pair.attempt > 1).length);
    try {
      await outbox.taskEvents(all.flatMap(({ flight, pair }) => sentEvents(flight, pair)));
    } catch (error) {
      this.#options.ports.log.warn(
        { err: error },
        'TASK_SENT was not taken; the batch is taken up again after its lease',
      );
      for (const flight of flights) this.#leaveInFlight(flight);
      return;
    }
    await this.#confirm(flights, dropped);
    for (const { flight, pair } of all) {
      if (pair.task.doneWhenSent) pair.task.waits.set(pair.sensor, SETTLED);
      // It has connected anew meanwhile: then the pair is due now, not after the pause of the connection before.
      else if (pair.sensor.tag !== pair.tag) this.#waitUntil(pair, pair.sensor.tag, doneMono);
      else
        this.#waitUntil(
          pair,
          pair.tag,
          Math.max(
            flight.startedMono + backoffMs(pair.attempt, config.REDELIVERY_FIRST_MS, config.REDELIVERY_MAX_MS),
            doneMono,
          ),
        );
    }
  }

  async #confirm(flights: Flight[], dropped: Map<Flight, Pair[]>): Promise<void> {
    const requests = flights.map((flight) => {
      const tasks = new Map<string, { taskId: string; dropped: string[]; done: string[] }>();
      const entry = (taskId: string) => {
        const found = tasks.get(taskId) ?? { taskId, dropped: [], done: [] };
        tasks.set(taskId, found);
        return found;
      };
      for (const { task, sensor } of dropped.get(flight) ?? []) entry(task.taskId).dropped.push(sensor.sid);
      for (const { task, sensor } of flight.pairs) if (task.doneWhenSent) entry(task.taskId).done.push(sensor.sid);
      return { oid: flight.seat.oid, epoch: flight.epoch, batch: flight.batch, tasks: [...tasks.values()] };
    });
    try {
      await this.#options.ports.projection.confirm(requests);
      // What was dropped is looked at again soon: what it lacked may have come back meanwhile.
      const again = this.#clock.monoMs() + RETRY_MS;
      for (const pair of flights.flatMap((flight) => dropped.get(flight) ?? [])) {
        if (pair.task.waits.get(pair.sensor)?.tag === pair.tag) this.#waitUntil(pair, pair.sensor.tag, again);
      }
    } catch (error) {
      this.#options.ports.log.warn(
        { err: error },
        'claims could not be confirmed; they are looked at again after their lease',
      );
      for (const flight of flights) this.#leaveInFlight(flight);
    }
  }

  /** Whether it was produced is not known: after the lease the same attempt is claimed again. */
  #leaveInFlight(flight: Flight): void {
    const at = this.#clock.monoMs() + this.#options.ports.config.CLAIM_LEASE_MS + 50;
    for (const pair of flight.pairs) this.#waitUntil(pair, pair.tag, at);
  }
}

function claimRequest({ seat, epoch, token, batch, pairs }: Flight): ClaimRequest {
  const tasks = [...Map.groupBy(pairs, ({ task }) => task.taskId)].map(([taskId, members]) => ({
    taskId,
    pairs: members.map(({ sensor, tag }) => ({ sid: sensor.sid, tag })),
  }));
  return { oid: seat.oid, epoch, partition: seat.partition, token, batch, tasks };
}

/** When the pair became due: the task was learnt of, or the sensor connected, whichever was later. */
const dueAt = ({ task, sensor }: Due): number => Math.max(task.seenAtMs, sensor.connectedAtMs);

function dispatchOf({ seat, nowMs }: Flight, { task, sensor, attempt, connectionId }: Pair): TaskDispatch {
  return {
    dispatch_id: dispatchId(seat.oid, task.taskId, sensor.sid, attempt),
    oid: seat.oid,
    sid: sensor.sid,
    task_id: task.taskId,
    task: task.commandLine,
    investigation_id: task.investigationId,
    attempt,
    connection_id: connectionId,
    dispatched_at: nowMs,
    expires_at: task.expiresAtMs,
  };
}

function sentEvents({ seat, epoch, nowMs }: Flight, pair: Pair): EpochEvent[] {
  const { task, sensor, attempt, connectionId, tag } = pair;
  const event = (type: 'TASK_SENT' | 'TASK_DONE', detail: object): EpochEvent => ({
    epoch,
    event: {
      type,
      event_id: eventId(type, seat.oid, task.taskId, sensor.sid, attempt),
      oid: seat.oid,
      task_id: task.taskId,
      sid: sensor.sid,
      attempt,
      occurred_at: nowMs,
      detail: JSON.stringify({ expires_at: task.expiresAtMs, investigation_id: task.investigationId, ...detail }),
    } satisfies TaskEvent,
  });
  const sent = event('TASK_SENT', { connection_id: connectionId, tag, due_at: dueAt(pair), confirms: sensor.confirms });
  return task.doneWhenSent ? [sent, event('TASK_DONE', {})] : [sent];
}
