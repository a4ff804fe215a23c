/**
 * The connections by `sensor-presence`, for sensors with a CONNECTED on the topic. Redis and the log are read at different moments,
 * so for a sensor that reconnects often, a state of a few seconds ago is accepted too. Pure.
 */
import type { SensorPresence } from '../model/records.ts';
import { fold, newSensor, type SensorView } from '../model/sensor.ts';
import type { InRecord } from '../ports.ts';
import type { Connection } from './kept.ts';

const RECENT_MS = 10_000;
const RECENT_MAX = 256;

type Known = { sensor: SensorView; partition: number; since: { connection: Connection; untilMs: number }[] };

export class LoggedConnections {
  /** By `oid/sid`. */
  readonly #known = new Map<string, Known>();

  take({ partition, timestampMs }: InRecord, presence: SensorPresence): void {
    const name = `${presence.oid}/${presence.sid}`;
    const known = this.#known.get(name);
    if (presence.event === 'FORGOTTEN') this.#known.delete(name);
    else if (known || presence.event === 'CONNECTED') {
      const { sensor, since } = known ?? { sensor: newSensor(presence.oid, presence.sid), since: [] };
      const before = connectionOf(sensor);
      // `sensor-state` is used to compare facts.
      fold(sensor, { ...presence, sensor: null, add_tags: [], remove_tags: [] });
      const recent = since.filter(({ untilMs }) => untilMs > timestampMs - RECENT_MS).slice(1 - RECENT_MAX);
      if (known && !same(before, connectionOf(sensor))) recent.push({ connection: before, untilMs: timestampMs });
      this.#known.set(name, { sensor, partition, since: recent });
    }
  }

  /** Sensors of a partition. */
  sids(oid: string, partition: number): string[] {
    const ours = [...this.#known.values()].filter((one) => one.partition === partition && one.sensor.oid === oid);
    return ours.map(({ sensor }) => sensor.sid);
  }

  /** undefined if the topic has no record of it. */
  of(oid: string, sid: string): Connection | undefined {
    const known = this.#known.get(`${oid}/${sid}`);
    return known && connectionOf(known.sensor);
  }

  wasRecently(oid: string, sid: string, connection: Connection, nowMs: number): boolean {
    const since = this.#known.get(`${oid}/${sid}`)?.since ?? [];
    return since.some((one) => one.untilMs > nowMs - RECENT_MS && same(one.connection, connection));
  }
}

const connectionOf = ({ online, connectionId }: SensorView): Connection => ({ online, connectionId });

export const same = (a: Connection, b: Connection): boolean =>
  a.online === b.online && a.connectionId === b.connectionId;
