/**
 * Takes over an org partition, in this order:
 *  1. Draw a fencing token: Redis refuses the earlier owner from then on.
 *  2. Load the sensors.
 *  3. Wait until the leases of the earlier owner have ended. It sends by the presence that Redis has, so nothing is written before.
 *  4. Write the rows, even if there are none: that Redis takes the write in the same epoch with the same token proves that its
 *     data was not lost while it was read, so what was read is complete.
 *  5. Read the end of presence: the org partition goes live when it has been read up to there.
 *
 * The sensors come from memory if this process held the org partition all along: after a loss of Redis they are written to it. Else
 * they come from Redis. If Redis has none, they come from `sensor-state`, and then from presence as far back as the log reaches.
 */
import { pagesOf } from '../async/pages.ts';
import type { SensorState } from '../model/records.ts';
import { fromState } from '../model/sensor.ts';
import type { RolePorts } from '../ports.ts';
import type { InFlight } from '../projector/projection.ts';
import { readStates } from '../projector/sensor-states.ts';
import { addSensor, clearOrgPartition, type OrgPartition, type Sensor } from './org-partition.ts';
import { markAllDirty, takeRows, writeRows } from './rows.ts';

/** The first records of an org are looked for this long before its subscription, because clocks differ. */
const SLACK_MS = 60_000;

type Ports = Pick<RolePorts, 'projection' | 'inbox' | 'clock' | 'recordCodec' | 'orgs' | 'config' | 'log'>;

/** Resolves true when the org partition has its fencing token and its sensors. It is not live yet. `onGone` gets the sensors in
 *  memory that are replaced by loaded ones. */
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
  // Redis has no rows, or those of an earlier epoch. In the same epoch it lacks only the rows that are dirty already.
  if (answer.nextOffset === null || (current && orgPartition.epoch !== epoch)) markAllDirty(orgPartition);
  orgPartition.epoch = epoch;
  orgPartition.fencingToken = answer.fencingToken;
  await waitOut(ports, answer.inFlight, answer.nowMs, askedMono);
  if (orgPartition.fencingToken !== answer.fencingToken) return false;
  const why = await writeRows(
    projection,
    orgPartition,
    takeRows(orgPartition, (state) => ports.recordCodec.encode('SensorState', state)),
  );
  if (why !== null) {
    ports.log.warn(
      { oid: orgPartition.oid, partition: orgPartition.partition, why },
      'org partition rows not written: retrying the takeover',
    );
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
  if (nextOffset === null) return loadFromLog(ports, orgPartition, states);
  const { projection, recordCodec, clock } = ports;
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
}

async function loadFromLog({ inbox, orgs, clock }: Ports, orgPartition: OrgPartition, states: StateReader) {
  const { oid, partition } = orgPartition;
  for (const state of await states.of(oid, partition)) addSensor(orgPartition, fromState(state), clock.nowMs());
  const since = await inbox.since('presence', orgs.table.firstSubscribedAtMs(oid) - SLACK_MS);
  orgPartition.nextOffset = since.get(partition) ?? 0;
}

/** Reads all of `sensor-state`, once for all org partitions that ask at the same time. */
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
