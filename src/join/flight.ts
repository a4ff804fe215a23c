/**
 * A flight: the pairs of one seat that are claimed, produced and confirmed together. Pure: how pairs become flights, what is
 * asked of Redis for them, and what may still be sent directly before the produce.
 */
import { claimTag } from '../model/task.ts';
import type { ClaimRequest, ConfirmRequest, RecheckRequest } from '../projection/store.ts';
import { bytesOf } from './dispatch.ts';
import type { Seat, Sensor } from './seat.ts';
import { mayBeDue, type Task } from './tasks.ts';

export type Due = { sensor: Sensor; task: Task };
export type Pair = Due & { tag: string; attempt: number; connectionId: string };

/** Times are monotonic ms; `nowMs` is the clock of Redis at the claim, Unix ms. */
export type Flight = {
  seat: Seat;
  batch: string;
  epoch: string;
  token: string;
  pairs: Pair[];
  /** Claimed, and not to be sent after all. */
  dropped: Pair[];
  startedMono: number;
  nowMs: number;
};

/** Pairs in one script: it must not hold Redis for more than a few milliseconds. */
const PAIRS_PER_SCRIPT = 500;
/** Pairs in one trip, whatever their bytes. */
const PAIRS_PER_TRIP = 4_000;

/** The flights of the next trip: from `pairs[from]` on, as many as `maxBytes` of dispatches allow, one at least. Pairs that
 *  need no claim are passed over. `next` is where the trip after it begins. */
export function nextTrip(
  pairs: readonly Due[],
  from: number,
  maxBytes: number,
  nowMono: number,
  newBatch: (seat: Seat) => string,
): { flights: Flight[]; next: number } {
  const flights: Flight[] = [];
  const open = new Map<Seat, Flight>();
  let [bytes, count, next] = [0, 0, from];
  for (; next < pairs.length && count < PAIRS_PER_TRIP; next += 1) {
    const { sensor, task } = pairs[next] as Due;
    const { seat } = sensor;
    if (!seat.live || seat.token === null || !sensor.online || task.gone || !mayBeDue(task, sensor, nowMono)) continue;
    const size = bytesOf({ sensor, task });
    if (count > 0 && bytes + size > maxBytes) break;
    let flight = open.get(seat);
    if (!flight || flight.pairs.length >= PAIRS_PER_SCRIPT) {
      flight = flightOf(seat, seat.token, newBatch(seat));
      open.set(seat, flight);
      flights.push(flight);
    }
    flight.pairs.push({ sensor, task, tag: sensor.tag, attempt: 0, connectionId: sensor.connectionId ?? '' });
    bytes += size;
    count += 1;
  }
  return { flights, next };
}

const flightOf = (seat: Seat, token: string, batch: string): Flight => ({
  seat,
  batch,
  epoch: seat.epoch,
  token,
  pairs: [],
  dropped: [],
  startedMono: 0,
  nowMs: 0,
});

export function claimRequest({ seat, epoch, token, batch, pairs }: Flight): ClaimRequest {
  const tasks = [...Map.groupBy(pairs, ({ task }) => task.taskId)].map(([taskId, members]) => ({
    taskId,
    pairs: members.map(({ sensor, tag, task }) => ({ sid: sensor.sid, tag: claimTag(tag, task.doneWhenSent) })),
  }));
  return { oid: seat.oid, epoch, partition: seat.partition, token, batch, tasks };
}

/** `byTask` names the pairs in the order of the request. */
export function recheckRequest({ seat, epoch, token, batch, pairs }: Flight): {
  request: RecheckRequest;
  byTask: Pair[][];
} {
  const groups = [...Map.groupBy(pairs, ({ task }) => task.taskId)];
  const tasks = groups.map(([taskId, members]) => ({ taskId, sids: members.map(({ sensor }) => sensor.sid) }));
  return {
    request: { oid: seat.oid, epoch, partition: seat.partition, token, batch, tasks },
    byTask: groups.map(([, members]) => members),
  };
}

export function confirmRequest({ seat, epoch, batch, pairs, dropped }: Flight): ConfirmRequest {
  const tasks = new Map<string, { taskId: string; dropped: string[]; done: string[] }>();
  const entry = (taskId: string) => {
    const found = tasks.get(taskId) ?? { taskId, dropped: [], done: [] };
    tasks.set(taskId, found);
    return found;
  };
  for (const { task, sensor } of dropped) entry(task.taskId).dropped.push(sensor.sid);
  for (const { task, sensor } of pairs) if (task.doneWhenSent) entry(task.taskId).done.push(sensor.sid);
  return { oid: seat.oid, epoch, batch, tasks: [...tasks.values()] };
}

/** Takes out of the flight what may not be sent any more: the last check before the append. */
export function dropUnfit(flight: Flight, nowMono: number, marginMs: number): void {
  const { keep = [], drop = [] } = Object.groupBy(flight.pairs, (pair) =>
    fits(flight, pair, nowMono, marginMs) ? 'keep' : 'drop',
  );
  flight.pairs = keep;
  flight.dropped.push(...drop);
}

function fits(flight: Flight, { task, sensor, tag }: Pair, nowMono: number, marginMs: number): boolean {
  const { seat, token, epoch, nowMs, startedMono } = flight;
  return (
    seat.live &&
    seat.token === token &&
    seat.epoch === epoch &&
    !task.gone &&
    sensor.online &&
    sensor.tag === tag &&
    seat.sensors.get(sensor.sid) === sensor &&
    task.predicate(sensor.record) === true &&
    task.expiresAtMs - (nowMs + nowMono - startedMono) > marginMs
  );
}
