/**
 * Taking a seat: the token first, so that the owner before is refused from then on; then its sensors; then the claims of the owner
 * before are waited out, and only then anything is written: what it still sends goes by the presence that Redis has. Last the end
 * of the presence log, which has to be read before anything is sent.
 *
 * Sensors come from memory if this process has held the seat all along (Redis was lost: they are written to it), else from Redis,
 * else, when Redis has none, from `sensor-state` and then from presence as far back as the log reaches. A write that Redis
 * takes under the same epoch and token ends the reading: what was read is whole.
 */

import type { SensorState } from '../model/records.ts';
import { fromState } from '../model/sensor.ts';
import type { RolePorts } from '../ports.ts';
import { readStates } from '../projection/states.ts';
import type { InFlight } from '../projection/store.ts';
import { clearSeat, markAllDirty, type Seat, type Sensor, seatSensor, takeRows, writeRows } from './seat.ts';

/** An org's first records are looked for this long before its subscription: clocks differ. */
const SLACK_MS = 60_000;

type Ports = Pick<RolePorts, 'projection' | 'inbox' | 'clock' | 'store' | 'orgs' | 'config' | 'log'>;

/** Resolves true when the seat has its token and sensors; `live` is set later, by who reads presence. `onGone` is told the
 *  sensors of memory that are loaded anew. */
export async function takeSeat(
  ports: Ports,
  seat: Seat,
  epoch: string,
  states: StateReader,
  onGone: (sensors: Sensor[]) => void,
): Promise<boolean> {
  const { projection, clock } = ports;
  seat.live = false;
  const answer = await projection.takeover(seat.oid, epoch, seat.partition);
  if (!answer.ok) return false;
  const askedMono = clock.monoMs();
  const current = seat.loaded && (answer.nextOffset === null || seat.nextOffset >= answer.nextOffset);
  if (!current) {
    onGone(clearSeat(seat));
    await load(ports, seat, answer.nextOffset, states);
  }
  // Redis has lost all of it, or never had it; in the same epoch it lacks only what a refused or lost write held.
  if (answer.nextOffset === null || (current && seat.epoch !== epoch)) markAllDirty(seat);
  seat.epoch = epoch;
  seat.token = answer.token;
  await waitOut(ports, answer.inFlight, answer.nowMs, askedMono);
  if (seat.token !== answer.token) return false;
  // Also with nothing to tell: that it is taken proves that Redis was not lost while it was read.
  const why = await writeRows(
    projection,
    seat,
    takeRows(seat, (state) => ports.store.encode('SensorState', state)),
  );
  if (why !== null) {
    ports.log.warn({ oid: seat.oid, partition: seat.partition, why }, 'a seat could not be completed');
    seat.loaded = current;
    return false;
  }
  seat.loaded = true;
  const end = (await ports.inbox.ends('presence')).get(seat.partition);
  seat.liveAt = end === undefined || end.low === end.high ? 0 : end.high;
  seat.deadBatches = answer.inFlight.map(({ batch }) => batch);
  return seat.token === answer.token;
}

async function waitOut({ clock }: Ports, inFlight: InFlight[], nowMs: number, askedMono: number): Promise<void> {
  const last = Math.max(0, ...inFlight.map(({ untilMs }) => untilMs));
  const left = last - nowMs - (clock.monoMs() - askedMono);
  if (left > 0) await clock.delay(left + 1);
}

async function load(ports: Ports, seat: Seat, nextOffset: number | null, states: StateReader): Promise<void> {
  const { projection, store, clock, inbox, orgs } = ports;
  if (nextOffset !== null) {
    let cursor: string | null = null;
    do {
      const page = await projection.scanSensors(seat.oid, seat.partition, cursor);
      for (const { facts, presence } of page.sensors) {
        if (!facts) continue;
        const view = Object.assign(fromState(store.decode('SensorState', facts)), presence);
        const sensor = seatSensor(seat, view, clock.nowMs());
        sensor.nextOffset = presence?.nextOffset ?? 0;
      }
      cursor = page.next;
    } while (cursor !== null);
    seat.nextOffset = nextOffset;
    return;
  }
  for (const state of await states.of(seat.oid, seat.partition)) seatSensor(seat, fromState(state), clock.nowMs());
  const since = await inbox.since('presence', orgs.table.firstSubscribedAtMs(seat.oid) - SLACK_MS);
  seat.nextOffset = since.get(seat.partition) ?? 0;
}

/** Reads `sensor-state` whole, once for all seats that ask at the same time. */
export class StateReader {
  readonly #ports: Pick<RolePorts, 'inbox' | 'log'>;
  #reading: Promise<Map<string, SensorState[]>> | null = null;

  constructor(ports: Pick<RolePorts, 'inbox' | 'log'>) {
    this.#ports = ports;
  }

  async of(oid: string, partition: number): Promise<SensorState[]> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    return (await this.#reading).get(`${oid}/${partition}`) ?? [];
  }

  async #read(): Promise<Map<string, SensorState[]>> {
    const latest = new Map<string, { key: string; state: SensorState } | null>();
    await this.#ports.inbox.readAll('sensorState', async (records) => {
      for (const { record, state } of await readStates(this.#ports.inbox, records)) {
        const name = `${record.partition} ${record.key?.toString() ?? ''}`;
        latest.set(name, state && { key: `${state.oid}/${record.partition}`, state });
      }
    });
    const bySeat = new Map<string, SensorState[]>();
    for (const entry of latest.values()) {
      if (entry === null) continue;
      const states = bySeat.get(entry.key);
      if (states) states.push(entry.state);
      else bySeat.set(entry.key, [entry.state]);
    }
    return bySeat;
  }
}
