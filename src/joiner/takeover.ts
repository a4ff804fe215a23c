/**
 * Taking a seat: the token first, so that the owner before is refused from then on; then its sensors; then the claims of the owner
 * before are waited out, and only then anything is written: what it still sends goes by the presence that Redis has. Last the end
 * of the presence log, which has to be read before anything is sent.
 *
 * Sensors come from memory if this process has held the seat all along (Redis was lost: they are written to it), else from Redis,
 * else, when Redis has none, from `sensor-state` and then from presence as far back as the log reaches. A write that Redis
 * takes under the same epoch and token ends the reading: what was read is whole.
 */

import { pagesOf } from '../async/pages.ts';
import type { SensorState } from '../model/records.ts';
import { fromState } from '../model/sensor.ts';
import type { RolePorts } from '../ports.ts';
import type { InFlight } from '../projector/projection.ts';
import { readStates } from '../projector/sensor-states.ts';
import {
  addSensor,
  clearOrgPartition,
  markAllDirty,
  type OrgPartition,
  type Sensor,
  takeRows,
  writeRows,
} from './org-partition.ts';

/** An org's first records are looked for this long before its subscription: clocks differ. */
const SLACK_MS = 60_000;

type Ports = Pick<RolePorts, 'projection' | 'inbox' | 'clock' | 'recordCodec' | 'orgs' | 'config' | 'log'>;

/** Resolves true when the seat has its token and sensors; `live` is set later, by who reads presence. `onGone` is told the
 *  sensors of memory that are loaded anew. */
export async function takeOrgPartition(
  ports: Ports,
  orgPartition: OrgPartition,
  epoch: string,
  states: StateReader,
  onGone: (sensors: Sensor[]) => void,
): Promise<boolean> {
  const { projection, clock } = ports;
  orgPartition.live = false;
  const answer = await projection.takeover(orgPartition.oid, epoch, orgPartition.partition);
  if (!answer.ok) return false;
  const askedMono = clock.monoMs();
  const current = orgPartition.loaded && (answer.nextOffset === null || orgPartition.nextOffset >= answer.nextOffset);
  if (!current) {
    onGone(clearOrgPartition(orgPartition));
    await load(ports, orgPartition, answer.nextOffset, states);
  }
  // Redis has lost all of it, or never had it; in the same epoch it lacks only what a refused or lost write held.
  if (answer.nextOffset === null || (current && orgPartition.epoch !== epoch)) markAllDirty(orgPartition);
  orgPartition.epoch = epoch;
  orgPartition.fencingToken = answer.fencingToken;
  await waitOut(ports, answer.inFlight, answer.nowMs, askedMono);
  if (orgPartition.fencingToken !== answer.fencingToken) return false;
  // Also with nothing to tell: that it is taken proves that Redis was not lost while it was read.
  const why = await writeRows(
    projection,
    orgPartition,
    takeRows(orgPartition, (state) => ports.recordCodec.encode('SensorState', state)),
  );
  if (why !== null) {
    ports.log.warn({ oid: orgPartition.oid, partition: orgPartition.partition, why }, 'a seat could not be completed');
    orgPartition.loaded = current;
    return false;
  }
  orgPartition.loaded = true;
  const end = (await ports.inbox.ends('presence')).get(orgPartition.partition);
  orgPartition.liveAt = end === undefined || end.low === end.high ? 0 : end.high;
  orgPartition.deadBatches = answer.inFlight.map(({ batch }) => batch);
  return orgPartition.fencingToken === answer.fencingToken;
}

async function waitOut({ clock }: Ports, inFlight: InFlight[], nowMs: number, askedMono: number): Promise<void> {
  const last = Math.max(0, ...inFlight.map(({ untilMs }) => untilMs));
  const left = last - nowMs - (clock.monoMs() - askedMono);
  if (left > 0) await clock.delay(left + 1);
}

async function load(
  ports: Ports,
  orgPartition: OrgPartition,
  nextOffset: number | null,
  states: StateReader,
): Promise<void> {
  const { projection, recordCodec, clock, inbox, orgs } = ports;
  if (nextOffset !== null) {
    const { oid, partition } = orgPartition;
    for await (const page of pagesOf((cursor) => projection.scanSensors(oid, partition, cursor))) {
      for (const { facts, presence } of page.sensors) {
        if (!facts) continue;
        const view = Object.assign(fromState(recordCodec.decode('SensorState', facts)), presence);
        const sensor = addSensor(orgPartition, view, clock.nowMs());
        sensor.nextOffset = presence?.nextOffset ?? 0;
      }
    }
    orgPartition.nextOffset = nextOffset;
    return;
  }
  for (const state of await states.of(orgPartition.oid, orgPartition.partition))
    addSensor(orgPartition, fromState(state), clock.nowMs());
  const since = await inbox.since('presence', orgs.table.firstSubscribedAtMs(orgPartition.oid) - SLACK_MS);
  orgPartition.nextOffset = since.get(orgPartition.partition) ?? 0;
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
    const byOrgPartition = new Map<string, SensorState[]>();
    for (const entry of latest.values()) {
      if (entry === null) continue;
      const states = byOrgPartition.get(entry.key);
      if (states) states.push(entry.state);
      else byOrgPartition.set(entry.key, [entry.state]);
    }
    return byOrgPartition;
  }
}
