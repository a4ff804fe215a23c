/**
 * A flight: the pairs of one seat that are claimed, produced and confirmed together. Pure: how pairs become flights, what is
 * asked of Redis for them, and what may still be sent directly before the produce.
 */
import { claimTag } from '../model/task.ts';
import type { ClaimRequest, ConfirmRequest, RecheckRequest } from '../projection/store.ts';
import type { Seat, Sensor } from './seat.ts';
import { type CheckBudget, mayBeDue, selectsWithin, type Task } from './tasks.ts';

export type Due = { sensor: Sensor; task: Task };
/** `attempt` 0: it is not known yet. `perhaps`: this attempt may be on the log, by a claim before or by a produce that failed. */
export type Pair = Due & { tag: string; attempt: number; connectionId: string; perhaps: boolean };

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

/** The org, the dispatch id, numbers, lengths, and what the log needs of its own. */
const FIXED_BYTES = 220;
const UTF8_MOST = 3;

/** Bytes of the pair's dispatch on the log, key included: not less than they will be. */
export const bytesOf = ({ task, sensor }: Due): number =>
  FIXED_BYTES +
  task.textBytes +
  task.taskId.length +
  2 * sensor.sid.length +
  UTF8_MOST * (sensor.connectionId?.length ?? 0);

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
    flight.pairs.push(pairOf(sensor, task));
    bytes += size;
    count += 1;
  }
  return { flights, next };
}

const pairOf = (sensor: Sensor, task: Task): Pair => ({
  sensor,
  task,
  tag: sensor.tag,
  attempt: 0,
  connectionId: sensor.connectionId ?? '',
  perhaps: false,
});

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

/** The seat is still the one, under the token, for which this was claimed. */
export const isHeld = ({ seat, token, epoch }: Flight): boolean => seat.token === token && seat.epoch === epoch;

/** A flight that was left, as it is asked for once more: for the connections that are open now. What is not due any more is
 *  dropped, if Redis has it under this batch at all, and is due at the next match. */
export function takenUp(flight: Flight, nowMono: number, mayGo: (due: Due) => boolean): Flight {
  const isDue = (pair: Pair): boolean =>
    pair.sensor.online && !pair.task.gone && mayBeDue(pair.task, pair.sensor, nowMono) && mayGo(pair);
  const { due = [], over = [] } = Object.groupBy(flight.pairs, (pair) => (isDue(pair) ? 'due' : 'over'));
  return {
    ...flight,
    pairs: due.map(({ sensor, task, attempt, perhaps }) => ({ ...pairOf(sensor, task), attempt, perhaps })),
    dropped: [...flight.dropped, ...over],
  };
}

/** The first of these flights, as many as one trip takes: one at least. */
export function fitting(flights: readonly Flight[], maxBytes: number): Flight[] {
  let [bytes, count] = [0, 0];
  const end = flights.findIndex(({ pairs }) => {
    bytes += pairs.reduce((sum, pair) => sum + bytesOf(pair), 0);
    count += pairs.length;
    return bytes > maxBytes || count > PAIRS_PER_TRIP;
  });
  return flights.slice(0, end === -1 ? undefined : Math.max(end, 1));
}

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

/** Was dropped, and may be on the log all the same: it counts as sent, and is due at the next match. */
export const isKept = ({ task, perhaps, attempt }: Pair): boolean => perhaps && attempt > 0 && !task.doneWhenSent;

export function confirmRequest({ seat, epoch, batch, pairs, dropped }: Flight): ConfirmRequest {
  const tasks = new Map<string, ConfirmRequest['tasks'][number]>();
  const entry = (taskId: string) => {
    const found = tasks.get(taskId) ?? { taskId, dropped: [], kept: [], done: [] };
    tasks.set(taskId, found);
    return found;
  };
  for (const pair of dropped) {
    const { task, sensor, perhaps, attempt } = pair;
    if (isKept(pair)) entry(task.taskId).kept.push(sensor.sid);
    // The TASK_DONE of what is done when sent may be on the log: such a pair stays as it is, and is claimed again as the same.
    else if (!task.doneWhenSent || (!perhaps && attempt > 0)) entry(task.taskId).dropped.push(sensor.sid);
  }
  for (const { task, sensor } of pairs) if (task.doneWhenSent) entry(task.taskId).done.push(sensor.sid);
  return { oid: seat.oid, epoch, batch, tasks: [...tasks.values()] };
}

/** Takes out of the flight what may not be sent any more: the last check before the append. `budget`: of all flights that are
 *  checked together. */
export function dropUnfit(flight: Flight, nowMono: number, marginMs: number, budget: CheckBudget): void {
  const { keep = [], drop = [] } = Object.groupBy(flight.pairs, (pair) =>
    fits(flight, pair, nowMono, marginMs) && selectsWithin(pair.task, pair.sensor, budget) ? 'keep' : 'drop',
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
    task.expiresAtMs - (nowMs + nowMono - startedMono) > marginMs
  );
}
